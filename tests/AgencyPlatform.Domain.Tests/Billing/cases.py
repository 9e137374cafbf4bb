#!/usr/bin/env python3
"""What invoices must come to, counted day by day by the rules of docs/billing.md, in plain Python that shares nothing with the engine.

    python3 cases.py > cases.csv

A day is looked at by itself: which terms hold, which bill-cycle period it is in, what it adds. Amounts are fractions until they are rounded once.
"""
import calendar
import csv
import random
import sys
from datetime import date, timedelta
from fractions import Fraction

DAY = timedelta(days=1)


def rounded(value):
    """Half away from zero."""
    value = Fraction(value)
    whole = (abs(value) + Fraction(1, 2)).__floor__()
    return whole if value >= 0 else -whole


def is_bill_day(day, anchor):
    return day.day == min(anchor, calendar.monthrange(day.year, day.month)[1])


class Period:
    def __init__(self, full_start):
        self.full_start, self.full_end, self.days = full_start, None, []

    @property
    def full_days(self):
        return (self.full_end - self.full_start).days


def months_back(day, anchor, count):
    while count:
        day -= DAY
        count -= is_bill_day(day, anchor)
    return day


def months_on(day, anchor, count):
    while count:
        day += DAY
        count -= is_bill_day(day, anchor)
    return day


def terms_on(case, day):
    found = case["terms"][0]
    for terms in case["terms"]:
        if terms["from"] <= day:
            found = terms
    return found


def periods_of(case, last):
    """Every served day up to a horizon, each in its period."""
    periods, day, cycle = [], case["start"], None
    while day <= last and (case["end"] is None or day < case["end"]):
        terms = terms_on(case, day)
        anchor, months = terms["day"], terms["months"]
        if (anchor, months) != cycle:
            cycle = (anchor, months)
            if is_bill_day(day, anchor):
                period = Period(day)
                period.full_end = months_on(day, anchor, months)
            else:
                end = months_on(day, anchor, 1)
                period = Period(months_back(end, anchor, months))
                period.full_end = end
            periods.append(period)
        elif day == periods[-1].full_end:
            period = Period(day)
            period.full_end = months_on(day, anchor, months)
            periods.append(period)
        periods[-1].days.append(day)
        day += DAY
    return periods


def bill(case):
    to, horizon = case["to"], case["to"] + timedelta(days=800)
    lines, given = [], {}
    for period in periods_of(case, horizon):
        if period.days[0] > to:
            break
        billed = [d for d in period.days if d >= case["billing_start"]]
        if not billed:
            continue
        ended = period.days[-1] + DAY <= to
        charges = []

        def put(charge, key, quantity, amount, by_day, due, entries=False):
            if amount or entries:
                charges.append(dict(charge=charge, period=period.days[0], key=key, quantity=quantity, amount=amount, by_day=by_day, due=due))

        fees = {}
        for day in billed:
            terms = terms_on(case, day)
            if terms["kind"] == "retainer" and terms["fee"]:
                fees.setdefault(terms["fee"], []).append(day)
        for fee, days in fees.items():
            advance = terms_on(case, days[-1])["timing"] == "advance"
            put("Fee", fee, len(days), rounded(Fraction(fee * len(days), period.full_days)), {d: Fraction(1, len(days)) for d in days}, billed[0] <= to if advance else ended)

        over, hours, days = {}, {}, {}
        for when, who, kind, minutes in case["entries"]:
            if when not in billed:
                continue
            terms = terms_on(case, when)
            if kind == "over" and terms["kind"] in ("retainer", "prepaid") and terms["overage"]:
                over.setdefault(terms["overage"], []).append((when, minutes))
            if kind == "charged" and terms["kind"] == "hourly" and terms["rate"]:
                counted = minutes
                while counted % terms["increment"]:
                    counted += 1
                hours.setdefault(terms["rate"], []).append((when, max(counted, terms["least"]), terms["cap"] is not None))
            if kind == "charged" and terms["kind"] == "days" and terms["rate"]:
                who_when = days.setdefault(terms["rate"], {})
                who_when.setdefault((when, who), []).append(minutes)

        def spread(parts):
            total, by_day = sum(q for _, q in parts), {}
            for when, quantity in parts:
                by_day[when] = by_day.get(when, 0) + Fraction(quantity, total) if total else 0
            return by_day

        for rate, parts in over.items():
            minutes = sum(m for _, m in parts)
            put("Overage", rate, minutes, rounded(Fraction(rate * minutes, 60)), spread(parts), ended, True)

        cap = Fraction(0)
        for day in billed:
            terms = terms_on(case, day)
            if terms["kind"] == "hourly" and terms["cap"] is not None:
                cap += Fraction(terms["cap"], period.full_days)
        cap = rounded(cap)
        for rate in sorted(hours):
            minutes = sum(m for _, m, _ in hours[rate])
            free = sum(m for _, m, capped in hours[rate] if not capped)
            whole, loose = rounded(Fraction(rate * minutes, 60)), rounded(Fraction(rate * free, 60))
            under = min(whole - loose, cap)
            cap -= under
            put("Hours", rate, minutes, loose + under, spread([(d, m) for d, m, _ in hours[rate]]), ended, True)

        for rate in days:
            parts = []
            for (when, _), minutes in days[rate].items():
                full = terms_on(case, when)["full"]
                parts.append((when, 2 if sum(minutes) >= full else 1 if 2 * sum(minutes) >= full else 0))
            halves = sum(q for _, q in parts)
            put("Days", rate, halves, rounded(Fraction(rate * halves, 2)), spread(parts), ended, True)

        for name, amount, when in case["milestones"]:
            if when in billed:
                put("Milestone", name, 1, amount, {when: Fraction(1)}, when <= to)
        for name, minutes, price, when, expires in case["blocks"]:
            if when in billed:
                put("Block", name, 1, price, {when: Fraction(1)}, when <= to)

        # What is missing to a minimum; what one has taken is not there for the next.
        rest, least = sum(c["amount"] for c in charges), {}
        for day in billed:
            if terms_on(case, day)["commit"]:
                name, amount = terms_on(case, day)["commit"]
                least.setdefault(name, []).append((day, amount))
        for name, parts in least.items():
            promised = rounded(sum(Fraction(amount, period.full_days) for _, amount in parts))
            missing, rest = max(0, promised - rest), max(0, rest - promised)
            put("Commitment", name, 1, missing, {d: Fraction(1, len(parts)) for d, _ in parts}, ended)

        # Discounts, of what is due.
        due = [c for c in charges if c["due"]]
        left, order, taken_off = sum(c["amount"] for c in due), [], []
        for day in billed:
            for discount in terms_on(case, day)["discounts"]:
                if discount["id"] not in order and discount["start"] <= day and (discount["end"] is None or day < discount["end"]):
                    order.append(discount["id"])
        for name in order:
            percent, amount, cap = Fraction(0), Fraction(0), None
            for day in billed:
                for discount in terms_on(case, day)["discounts"]:
                    if discount["id"] != name or day < discount["start"] or (discount["end"] is not None and day >= discount["end"]):
                        continue
                    cap = discount["cap"]
                    if discount["ppm"] is not None:
                        percent += sum(c["amount"] * c["by_day"].get(day, 0) * Fraction(discount["ppm"], 1_000_000) for c in due)
                    else:
                        amount += Fraction(discount["amount"], period.full_days)
            taken = rounded(percent) + rounded(amount)
            if cap is not None:
                taken = min(taken, max(0, cap - given.get(name, 0)))
            taken = min(taken, left)
            if taken > 0:
                left -= taken
                given[name] = given.get(name, 0) + taken
                taken_off.append(dict(charge="Discount", period=period.days[0], key=name, quantity=1, amount=-taken, due=True))
        lines += due + taken_off
    return lines


# ---- the cases ----

CASES = []


def day(text):
    return date.fromisoformat(text)


def terms(start, kind, anchor=1, months=1, commit=None, discounts=(), **own):
    base = dict(fee=0, timing="advance", overage=0, rate=0, increment=1, least=0, cap=None, full=480)
    base.update(own)
    return dict(base, **{"from": day(start), "kind": kind, "day": anchor, "months": months, "commit": commit, "discounts": list(discounts)})


def discount(name, start="2000-01-01", end=None, ppm=None, amount=None, cap=None):
    return dict(id=name, start=day(start), end=day(end) if end else None, ppm=ppm, amount=amount, cap=cap)


def case(name, to, all_terms, entries=(), milestones=(), blocks=(), start=None, end=None, billing_start=None, currency="USD", tax=0):
    first = all_terms[0]["from"] if start is None else day(start)
    made = dict(
        name=name, currency=currency, tax=tax, to=day(to), start=first, end=day(end) if end else None,
        billing_start=day(billing_start) if billing_start else first, terms=list(all_terms),
        entries=sorted((day(d), who, kind, minutes) for d, who, kind, minutes in entries), milestones=[(n, a, day(d)) for n, a, d in milestones],
        blocks=[(n, m, p, day(d), day(e)) for n, m, p, d, e in blocks])
    CASES.append(made)


def worked(first, count, minutes, kind="charged", who="ada", step=1):
    return [((day(first) + timedelta(days=step * i)).isoformat(), who, kind, minutes + 7 * (i % 3)) for i in range(count)]


# Anchors at the months' ends, over leap days and none.
for anchor in (28, 29, 30, 31):
    for start, to in (("2024-01-31", "2024-06-30"), ("2027-02-15", "2027-05-31"), ("2028-02-29", "2028-05-31"), ("2026-12-31", "2027-04-30")):
        case(f"anchor {anchor} from {start}", to, [terms(start, "retainer", anchor, fee=800_000)])

# Starts within a period, by length and timing.
for months in (1, 3, 6, 12):
    for start in ("2026-03-10", "2026-01-01", "2024-02-29", "2027-11-30"):
        for timing in ("advance", "arrears"):
            year = int(start[:4])
            case(f"{months} months {timing} from {start}", f"{year + 1}-06-15", [terms(start, "retainer", 1, months, fee=900_000, timing=timing)], tax=190_000)

# Ends within a period.
for end in ("2026-03-11", "2026-03-31", "2026-04-01", "2026-05-20", "2028-02-29"):
    case(f"ends {end}", "2028-06-30" if end > "2027" else "2026-12-31", [terms("2026-03-10", "retainer", 15, fee=1_000_001)], end=end, tax=77_000)
    case(f"ends {end} in arrears", "2028-06-30" if end > "2027" else "2026-12-31", [terms("2026-03-10", "retainer", 15, fee=1_000_001, timing="arrears")], end=end)

# Currencies of 0, 2 and 3 decimals.
for currency, fee in (("JPY", 1_234_567), ("USD", 799_999), ("KWD", 2_400_001)):
    case(f"{currency} retainer", "2026-06-01", [terms("2026-03-10", "retainer", 31, fee=fee)], currency=currency, tax=88_750)
    case(f"{currency} hours", "2026-06-01", [terms("2026-03-10", "hourly", 20, rate=fee // 50)], worked("2026-03-10", 40, 50), currency=currency, tax=190_000)
    case(f"{currency} days", "2026-06-01", [terms("2026-03-10", "days", 5, rate=fee // 8, full=450)], worked("2026-03-10", 40, 200, step=2), currency=currency)

# Upgrades, downgrades and pauses within and across periods; a pause charges a share of the fee.
for at in ("2026-04-01", "2026-04-16", "2026-04-30", "2026-05-02"):
    for fee in (1_000_000, 600_000, 0):
        case(f"{fee} from {at}", "2026-06-10", [terms("2026-03-10", "retainer", fee=800_000), terms(at, "retainer", fee=fee)])
for first, resumed, share in (("2026-04-05", "2026-04-20", 0), ("2026-04-05", "2026-06-03", 25), ("2026-03-11", "2026-03-12", 50), ("2026-04-01", "2026-05-01", 100)):
    case(
        f"paused {first} to {resumed} at {share} %", "2026-07-01",
        [terms("2026-03-10", "retainer", fee=801_111), terms(first, "retainer", fee=rounded(Fraction(801_111 * share, 100))), terms(resumed, "retainer", fee=801_111)])
case("two changes in a month and back", "2026-06-30", [terms("2026-05-01", "retainer", fee=800_000), terms("2026-05-10", "retainer", fee=900_000), terms("2026-05-20", "retainer", fee=800_000)])
case("another bill day", "2026-12-01", [terms("2026-09-16", "retainer", 25, fee=2_495), terms("2026-10-17", "retainer", 1, fee=2_495)])
case("months to quarters", "2026-12-31", [terms("2026-01-01", "retainer", fee=300_000), terms("2026-05-15", "retainer", 1, 3, fee=900_000)])
case("retainer to hours", "2026-07-01", [terms("2026-03-10", "retainer", fee=800_000, overage=25_000), terms("2026-05-12", "hourly", rate=24_999)],
     worked("2026-03-12", 20, 33, "over") + worked("2026-05-12", 20, 61))
case("cut-over", "2026-05-31", [terms("2024-03-01", "retainer", fee=800_000)], billing_start="2026-04-01")
case("cut-over within a period", "2026-05-31", [terms("2024-03-07", "retainer", 7, 3, fee=900_000)], billing_start="2026-04-17", tax=190_000)

# Hours: increments, minimums, caps.
for increment, least in ((1, 0), (6, 0), (15, 0), (15, 20), (60, 90), (7, 30)):
    case(f"hours by {increment}, at least {least}", "2026-05-10", [terms("2026-03-10", "hourly", 10, rate=25_000, increment=increment, least=least)], worked("2026-03-10", 50, 10))
for cap in (0, 100_000, 500_000, 5_000_000):
    case(f"hours capped at {cap}", "2026-06-01", [terms("2026-03-10", "hourly", rate=25_000, cap=cap)], worked("2026-03-10", 60, 55), tax=190_000)
case("cap and minimum together", "2026-06-01", [terms("2026-03-10", "hourly", rate=25_000, cap=400_000, commit=("minimum", 300_000))], worked("2026-03-10", 20, 55))
case("a cap that comes within the month", "2026-05-01", [terms("2026-04-01", "hourly", rate=20_000), terms("2026-04-15", "hourly", rate=20_000, cap=90_000)], worked("2026-04-02", 25, 60))
case("two rates under one cap", "2026-05-01", [terms("2026-04-01", "hourly", rate=30_000, cap=400_000), terms("2026-04-15", "hourly", rate=20_000, cap=400_000)], worked("2026-04-02", 25, 60))
case("hours by the quarter, capped", "2026-12-31", [terms("2026-02-11", "hourly", 1, 3, rate=25_000, cap=900_000)], worked("2026-02-11", 90, 40, step=2))

# Days.
for full in (480, 450, 1, 1_440):
    case(f"days of {full} minutes", "2026-05-01", [terms("2026-03-10", "days", rate=120_001, full=full)], worked("2026-03-10", 30, 235))
case("a day of two entries and of two CMOs", "2026-05-01", [terms("2026-04-01", "days", rate=120_000)], [
    ("2026-04-02", "ada", "charged", 120), ("2026-04-02", "ada", "charged", 121), ("2026-04-02", "bob", "charged", 480), ("2026-04-03", "bob", "charged", 239), ("2026-04-06", "bob", "charged", 700)])
case("two day rates", "2026-05-01", [terms("2026-04-01", "days", rate=120_000), terms("2026-04-10", "days", rate=135_555)], worked("2026-04-01", 28, 300))

# Overage.
case("overage at one rate", "2026-06-01", [terms("2026-03-10", "retainer", fee=800_000, overage=24_999)], worked("2026-03-10", 60, 11, "over"), tax=88_750)
case("overage in advance is not due", "2026-03-31", [terms("2026-03-10", "retainer", fee=800_000, overage=24_999)], worked("2026-03-10", 10, 11, "over"))

# Milestones and blocks.
for to in ("2026-04-30", "2026-05-04", "2026-05-05", "2026-08-01"):
    case(f"milestones to {to}", to, [terms("2026-04-01", "milestones")], milestones=[("brand", 500_000, "2026-04-30"), ("launch", 1_250_000, "2026-05-05")], tax=190_000)
for to in ("2026-04-01", "2026-05-19", "2026-05-20"):
    case(f"blocks to {to}", to, [terms("2026-04-01", "prepaid", overage=26_000)], worked("2026-04-03", 9, 20, "over"),
         blocks=[("first", 600, 150_000, "2026-04-01", "2026-10-01"), ("second", 600, 150_000, "2026-05-20", "2026-11-20")])
case("a block beside a retainer", "2026-05-01", [terms("2026-04-01", "retainer", fee=800_000)], blocks=[("extra", 300, 99_000, "2026-04-11", "2026-12-31")])

# Minimum commitments.
for least in (400_000, 567_742, 900_000):
    case(f"minimum {least} and a fee from within", "2026-06-01", [terms("2026-03-10", "retainer", fee=500_000, commit=("minimum", least))], tax=190_000)
    case(f"minimum {least} and hours", "2026-06-01", [terms("2026-03-10", "hourly", 15, rate=25_000, commit=("minimum", least))], worked("2026-03-10", 40, 50))
case("a minimum that is raised", "2026-07-01", [terms("2026-04-01", "hourly", rate=25_000, commit=("minimum", 300_000)), terms("2026-05-16", "hourly", rate=25_000, commit=("minimum", 600_000))], worked("2026-04-01", 30, 20))
case("a minimum in place of another", "2026-06-01", [terms("2026-05-01", "hourly", rate=25_000, commit=("small", 500_000)), terms("2026-05-16", "hourly", rate=25_000, commit=("large", 900_000))], worked("2026-05-01", 20, 48))
case("a minimum that ends", "2026-07-01", [terms("2026-04-01", "hourly", rate=25_000, commit=("minimum", 300_000)), terms("2026-05-11", "hourly", rate=25_000)], worked("2026-04-01", 10, 20))
case("milestones count towards a minimum", "2026-07-01", [terms("2026-04-01", "milestones", commit=("minimum", 600_000))], milestones=[("brand", 500_000, "2026-04-30")])

# Discounts.
TEN = 100_000
for name, given in (
        ("ten percent", [discount("launch", ppm=TEN)]), ("ten percent for six weeks", [discount("launch", "2026-03-20", "2026-05-01", ppm=TEN)]),
        ("an amount", [discount("launch", amount=100_000)]), ("an amount for some days", [discount("launch", "2026-04-11", "2026-04-21", amount=100_000)]),
        ("ten percent, capped", [discount("launch", ppm=TEN, cap=100_000)]), ("two discounts", [discount("launch", ppm=TEN), discount("friend", amount=50_000)]),
        ("more than all", [discount("launch", ppm=700_000), discount("friend", ppm=700_000)]), ("an amount above all", [discount("launch", amount=9_000_000)]),
        ("a third", [discount("launch", ppm=333_333)])):
    case(f"{name} off a retainer", "2026-06-10", [terms("2026-03-10", "retainer", fee=800_000, overage=25_000, discounts=given)], worked("2026-03-12", 40, 12, "over"), tax=190_000)
    case(f"{name} off capped hours with a minimum", "2026-06-01", [terms("2026-03-10", "hourly", rate=25_000, cap=600_000, commit=("minimum", 450_000), discounts=given)], worked("2026-03-10", 60, 35), tax=77_000)
    case(f"{name} off days", "2026-06-01", [terms("2026-03-10", "days", rate=120_000, full=450, discounts=given)], worked("2026-03-10", 40, 230), tax=88_750)
case("a discount that changes", "2026-06-10", [
    terms("2026-04-01", "retainer", fee=800_000, discounts=[discount("launch", ppm=TEN)]), terms("2026-05-16", "retainer", fee=800_000, discounts=[discount("launch", ppm=50_000)])])
case("a discount off milestones and blocks", "2026-06-10", [terms("2026-04-01", "milestones", discounts=[discount("launch", "2026-04-01", "2026-05-01", ppm=TEN)])],
     milestones=[("brand", 500_000, "2026-04-30"), ("launch", 1_250_000, "2026-05-05")], blocks=[("extra", 300, 99_999, "2026-04-11", "2026-12-31")])

# Everything at once, drawn from a fixed seed.
DRAWN = random.Random(20260401)
for number in range(60):
    start = date(2026, 1, 1) + timedelta(days=DRAWN.randrange(800))
    anchor, months = DRAWN.randint(1, 31), DRAWN.choice((1, 1, 1, 3, 6, 12))
    kind, all_terms, at = DRAWN.choice(("retainer", "hourly", "days")), [], start
    for _ in range(DRAWN.randint(1, 4)):
        all_terms.append(terms(
            at.isoformat(), kind, anchor, months, fee=DRAWN.randrange(0, 1_000_000), timing=DRAWN.choice(("advance", "arrears")), overage=DRAWN.choice((0, 24_999)),
            rate=DRAWN.randrange(1, 200_000), increment=DRAWN.choice((1, 6, 15)), least=DRAWN.choice((0, 25)), cap=DRAWN.choice((None, None, 350_000)), full=DRAWN.choice((480, 450)),
            commit=DRAWN.choice((None, None, ("minimum", DRAWN.randrange(1, 1_500_000)))),
            discounts=DRAWN.choice(([], [discount("launch", ppm=DRAWN.randrange(1, 1_000_000))], [discount("friend", amount=DRAWN.randrange(1, 200_000), cap=DRAWN.choice((None, 250_000)))]))))
        at += timedelta(days=DRAWN.randint(1, 90))
    entries = [((start + timedelta(days=DRAWN.randrange(200))).isoformat(), DRAWN.choice(("ada", "bob")), "over" if kind == "retainer" else "charged", DRAWN.randint(1, 500)) for _ in range(DRAWN.randrange(60))]
    end = start + timedelta(days=200 + DRAWN.randrange(100)) if DRAWN.random() < 0.5 else None
    case(f"drawn {number}", (start + timedelta(days=DRAWN.randrange(366))).isoformat(), all_terms, entries, end=end.isoformat() if end else None,
         billing_start=(start + timedelta(days=DRAWN.randrange(60))).isoformat() if DRAWN.random() < 0.3 else None,
         currency=DRAWN.choice(("JPY", "USD", "KWD")), tax=DRAWN.choice((0, 77_000, 88_750, 190_000)))


# ---- the table ----

def text_of(made):
    parts = [made["from"].isoformat(), made["kind"], f"day={made['day']}", f"months={made['months']}"]
    parts += [f"{name}={made[name]}" for name in ("fee", "timing", "overage", "rate", "increment", "least", "full")]
    if made["cap"] is not None:
        parts.append(f"cap={made['cap']}")
    if made["commit"]:
        parts.append("commit=%s:%d" % made["commit"])
    for d in made["discounts"]:
        size = f"{d['ppm']}ppm" if d["ppm"] is not None else f"{d['amount']}"
        parts.append(f"discount={d['id']}:{d['start']}:{d['end'] or ''}:{size}:{'' if d['cap'] is None else d['cap']}")
    return " ".join(parts)


def main():
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow("name currency tax to start end billing_start terms entries milestones blocks lines net total_tax".split())
    for made in CASES:
        lines = bill(made)
        net = sum(line["amount"] for line in lines)
        out.writerow([
            made["name"], made["currency"], made["tax"], made["to"], made["start"], made["end"] or "", made["billing_start"], " | ".join(map(text_of, made["terms"])),
            " | ".join(f"{d} {who} {kind} {minutes}" for d, who, kind, minutes in made["entries"]), " | ".join(f"{n} {a} {d}" for n, a, d in made["milestones"]),
            " | ".join(f"{n} {m} {p} {d} {e}" for n, m, p, d, e in made["blocks"]),
            " | ".join(sorted(f"{line['charge']} {line['period']} {line['key']} {line['quantity']} {line['amount']}" for line in lines)), net,
            rounded(Fraction(net * made["tax"], 1_000_000))])


if __name__ == "__main__":
    main()
