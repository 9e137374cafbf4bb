// Dragging in the heat map: over weeks, to hold or book them; a booking onto another week or CMO, to move it. Both only open forms, which the keyboard reaches as well.
export function attach(grid, page) {
    const cellAt = target => {
        const cell = target.closest?.('a.cell');
        if (!cell) { return null; }
        const [, , cmo, week] = cell.getAttribute('href').split('/');
        return { cell, row: cell.closest('.heat-row'), cmo, week };
    };
    const mark = cells => {
        for (const cell of grid.querySelectorAll('.cell-chosen')) { cell.classList.remove('cell-chosen'); }
        for (const cell of cells) { cell.classList.add('cell-chosen'); }
    };

    grid.addEventListener('pointerdown', down => {
        const from = down.button === 0 && down.pointerType === 'mouse' ? cellAt(down.target) : null;
        if (!from) { return; }
        const row = [...from.row.querySelectorAll('a.cell')];
        let chosen = [];
        const over = move => {
            const to = cellAt(move.target);
            if (to?.row !== from.row) { return; }
            const [first, last] = [row.indexOf(from.cell), row.indexOf(to.cell)].sort((a, b) => a - b);
            // Within one cell it is a click.
            chosen = first === last ? [] : row.slice(first, last + 1);
            mark(chosen);
        };
        grid.addEventListener('pointermove', over);
        document.addEventListener('pointerup', () => {
            grid.removeEventListener('pointermove', over);
            mark([]);
            if (chosen.length > 0) { page.invokeMethodAsync('Choose', from.cmo, cellAt(chosen[0]).week, cellAt(chosen.at(-1)).week); }
        }, { once: true });
    });

    let dragged = null;
    grid.addEventListener('dragstart', start => {
        const booked = start.target.closest?.('.booked[draggable=true]');
        // A cell is a link, and would be dragged as one.
        if (!booked) { start.preventDefault(); return; }
        const isUnder = at => { const box = at.cell.parentElement.getBoundingClientRect(); return box.left <= start.clientX && start.clientX < box.right; };
        dragged = { booking: booked.dataset.booking, week: [...grid.querySelectorAll('a.cell')].map(cellAt).find(isUnder)?.week };
        start.dataTransfer.effectAllowed = 'move';
        start.dataTransfer.setData('text/plain', booked.getAttribute('aria-label'));
    });
    grid.addEventListener('dragover', over => {
        const to = dragged?.week ? cellAt(over.target) : null;
        if (to) { over.preventDefault(); }
        mark(to ? [to.cell] : []);
    });
    grid.addEventListener('drop', drop => {
        const to = dragged?.week ? cellAt(drop.target) : null;
        if (to) {
            drop.preventDefault();
            page.invokeMethodAsync('Move', dragged.booking, dragged.week, to.cmo, to.week);
        }
    });
    grid.addEventListener('dragend', () => { dragged = null; mark([]); });
}
