// What the browser knows better than the server: how its reader writes dates and money, and where the keyboard's focus is in a grid.
// The text is in the element's shadow, so that the server's page never meets it.
(() => {
    class Local extends HTMLElement {
        static observedAttributes = ['value', 'zone', 'form', 'minor', 'currency', 'until'];

        connectedCallback() { this.write(); }

        attributeChangedCallback() { if (this.isConnected) { this.write(); } }

        write() {
            this.shadow ??= this.attachShadow({ mode: 'open' });
            this.shadow.textContent = this.text();
        }
    }

    const forms = {
        date: { day: 'numeric', month: 'short', year: 'numeric' },
        day: { weekday: 'short', day: 'numeric', month: 'short' },
        month: { month: 'long', year: 'numeric' },
    };

    customElements.define('local-date', class extends Local {
        text() {
            const [year, month, day] = this.getAttribute('value').split('-').map(Number);
            return new Intl.DateTimeFormat(undefined, { ...forms[this.getAttribute('form') ?? 'date'], timeZone: 'UTC' }).format(new Date(Date.UTC(year, month - 1, day)));
        }
    });

    customElements.define('local-time', class extends Local {
        text() {
            return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short', timeZone: this.getAttribute('zone') || undefined }).format(new Date(this.getAttribute('value')));
        }
    });

    customElements.define('local-amount', class extends Local {
        text() {
            const currency = this.getAttribute('currency');
            const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
            const digits = format.resolvedOptions().maximumFractionDigits;
            // As text: an amount can have more digits than a number of the browser keeps.
            const minor = this.getAttribute('minor'), negative = minor.startsWith('-');
            const all = minor.replace('-', '').padStart(digits + 1, '0');
            return format.format(`${negative ? '-' : ''}${all.slice(0, all.length - digits)}${digits > 0 ? `.${all.slice(-digits)}` : ''}`);
        }
    });

    // What is left until a moment, second by second. `offset` is how far the agency's clock is ahead of this one's; a sandbox's stands still.
    customElements.define('local-countdown', class extends Local {
        connectedCallback() { super.connectedCallback(); this.timer = setInterval(() => this.write(), 1000); }

        disconnectedCallback() { clearInterval(this.timer); }

        text() {
            const now = this.hasAttribute('now') ? new Date(this.getAttribute('now')) : new Date();
            let left = Math.max(0, Math.floor((new Date(this.getAttribute('until')) - now) / 1000));
            if (left === 0) { return 'expired'; }
            const days = Math.floor(left / 86400), hours = Math.floor(left / 3600) % 24, minutes = Math.floor(left / 60) % 60, seconds = left % 60;
            return days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes} min` : `${minutes}:${String(seconds).padStart(2, '0')}`;
        }
    });

    window.dashboard = {
        dark(on) { document.documentElement.classList.toggle('dark', on); document.documentElement.style.colorScheme = on ? 'dark' : 'light'; },

        print() { window.print(); },

        download(name, type, base64) {
            const link = document.createElement('a');
            link.href = URL.createObjectURL(new Blob([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], { type }));
            link.download = name;
            link.click();
            URL.revokeObjectURL(link.href);
        },
    };

    // Arrows, Home and End move in a grid; the Tab key stops at the first cell of each row only.
    document.addEventListener('keydown', event => {
        const cell = event.target.closest?.('[role=gridcell]');
        const grid = cell?.closest('[role=grid]');
        if (!grid) { return; }
        const row = cell.closest('[role=row]');
        const cells = r => [...r.querySelectorAll('[role=gridcell]')];
        const at = cells(row).indexOf(cell);
        const rows = [...grid.querySelectorAll('[role=row]')].filter(r => cells(r).length > 0);
        const of = (r, i) => r && cells(r)[Math.max(0, Math.min(i, cells(r).length - 1))];
        const next = {
            ArrowRight: () => of(row, at + 1), ArrowLeft: () => of(row, at - 1), Home: () => of(row, 0), End: () => of(row, Infinity),
            ArrowDown: () => of(rows[rows.indexOf(row) + 1], at), ArrowUp: () => of(rows[rows.indexOf(row) - 1], at),
        }[event.key]?.();
        if (next) {
            event.preventDefault();
            const to = next.querySelector('a, button, input') ?? next;
            to.focus();
            to.select?.();
            next.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
    });

    // After a restart of the server the page's connection is gone for good: load it anew, when the server answers.
    const modal = document.getElementById('components-reconnect-modal');
    modal?.addEventListener('components-reconnect-state-changed', async event => {
        const state = event.detail.state;
        if (state === 'show') { modal.showModal(); }
        if (state === 'hide') { modal.close(); }
        if (state === 'failed' || state === 'rejected') {
            for (;;) {
                try {
                    if ((await fetch('/health', { cache: 'no-store' })).ok) { location.reload(); return; }
                } catch { }
                await new Promise(done => setTimeout(done, 500));
            }
        }
    });
})();
