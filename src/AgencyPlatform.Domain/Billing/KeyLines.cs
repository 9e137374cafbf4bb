using System.Collections.Immutable;
using System.Globalization;
using NodaTime;

namespace AgencyPlatform.Domain.Billing;

/// <summary>A line of an invoice that stands.</summary>
internal readonly record struct StandingLine(InvoiceId Invoice, InvoiceLine Line);

/// <summary>The lines that an item still needs, beside those that its key has. Source: domain §5.</summary>
internal static class KeyLines
{
    /// <summary>
    /// Adds what the key gained as one line; what it lost as credits, which name the newest lines of the key first, none beyond what is left of it. A discount
    /// gains downwards.
    /// </summary>
    /// <param name="workings">Is told how each line is computed; null: nobody wants to know.</param>
    public static void Add(ImmutableArray<InvoiceLine>.Builder lines, Item item, List<StandingLine> before, LineCredits credits, TaxTreatment tax, Currency currency, Workings? workings = null)
    {
        var amount = checked(item.Amount.Minor - before.Sum(s => s.Line.Amount));
        var (known, wanted) = (Entries(before), item.Entries.Select(e => e.Entry).ToHashSet());
        var (gained, lost) = (item.Entries.Where(e => !known.Contains(e.Entry)).ToList(), known.Except(wanted).Order().ToList());
        if (amount == 0 && gained.Count + lost.Count == 0)
        {
            return;
        }

        var service = Service(item, before, gained, lost.Count);
        var uncapped = checked((item.Uncapped ?? item.Amount).Minor - before.Sum(s => s.Line.Uncapped ?? s.Line.Amount));
        var line = new InvoiceLine(
            0, item.Key, Describe(item.Key, item.Title, service, currency), service, item.Period, item.Key.Part is not null && item.Dates.IsEmpty ? before[^1].Line.KeyDates : item.Dates, item.Timing,
            item.Quantity - before.Sum(s => s.Line.Quantity), UnitOf(item.Key.Charge), item.FullDays, amount, tax, 0, [.. gained.Select(e => e.Entry), .. lost], null,
            uncapped == amount ? null : uncapped);
        var gains = item.Key.Charge == Charge.Discount ? -1 : 1;
        workings?.Invoiced(item.Key, before, amount);
        if (amount * gains >= 0)
        {
            lines.Add(line with { Number = lines.Count + 1 });
            workings?.Charge(lines.Count, item.Key);
            return;
        }

        var parts = Credits(before, credits, amount, gains);
        if (parts.Count == 0 && uncapped != 0 && item is { Timing: FeeTiming.InArrears, Key.Charge: not (Charge.Commitment or Charge.Discount) })
        {
            // All of it was credited by hand, and its revenue with it; when it is owed no more, what was accrued of it is taken back once more. A line of nothing sets that right.
            var of = before.Last(s => s.Line.Amount > 0 && s.Line.Corrects is null);
            lines.Add(line with
            {
                Number = lines.Count + 1,
                Description = InvoiceLine.Credit + of.Line.Description,
                Amount = 0,
                Uncapped = uncapped,
                TaxTreatment = of.Line.TaxTreatment,
                Corrects = new LineReference(of.Invoice, of.Line.Number),
            });
            workings?.CreditedAlready(lines.Count, item.Key, of, credits);
            return;
        }

        var (quantities, uncappedParts) = (Rounding.Split(line.Quantity, [.. parts.Select(p => p.Amount)]), Rounding.Split(uncapped, [.. parts.Select(p => p.Amount)]));
        for (var i = 0; i < parts.Count; i++)
        {
            var (of, part, share) = parts[i];
            lines.Add(line with
            {
                Number = lines.Count + 1,
                Description = InvoiceLine.Credit + of.Line.Description,
                Quantity = quantities[i],
                Amount = -part * gains,
                Uncapped = uncappedParts[i] == -part * gains ? null : uncappedParts[i],
                TaxTreatment = of.Line.TaxTreatment,
                Tax = -share * gains,
                Entries = i == 0 ? line.Entries : [],
                Corrects = new LineReference(of.Invoice, of.Line.Number),
            });
            workings?.Credit(lines.Count, item.Key, of, credits, amount, parts.Take(i).Sum(p => p.Amount), part, gains, part == Math.Abs(amount));
        }
    }

    /// <summary>The entries that a key's lines bill in sum: a line names those that its key gained or lost, each time one of the two.</summary>
    public static HashSet<Time.TimeEntryKey> Entries(List<StandingLine> lines)
    {
        var billed = new HashSet<Time.TimeEntryKey>();
        foreach (var entry in lines.SelectMany(s => s.Line.Entries))
        {
            if (!billed.Remove(entry))
            {
                billed.Add(entry);
            }
        }

        return billed;
    }

    /// <summary>How much of which line is taken back, with its cumulative share of the line's tax: crediting all of a line leaves exactly zero of it.</summary>
    private static List<(StandingLine Of, long Amount, long Tax)> Credits(List<StandingLine> before, LineCredits credits, long amount, int gains)
    {
        var parts = new List<(StandingLine Of, long Amount, long Tax)>();
        var rest = Math.Abs(amount);
        foreach (var standing in before.Where(s => s.Line.Amount * gains > 0 && s.Line.Corrects is null).Reverse())
        {
            var left = credits.LeftOf(standing.Invoice, standing.Line);
            var part = Math.Min(rest, left.Amount * gains);
            if (part > 0)
            {
                parts.Add((standing, part, gains * LineCredits.TaxOf(standing.Line, left.Amount, left.Tax, part * gains)));
                rest -= part;
            }
        }

        return parts;
    }

    /// <summary>From the first to the last day that the key gained or lost.</summary>
    private static DateRange Service(Item item, List<StandingLine> before, List<TimeItem> gained, int lost)
    {
        var keyDates = before.Count > 0 ? before[^1].Line.KeyDates : [];
        switch (item.Key.Charge)
        {
            case Charge.Milestone or Charge.Block or Charge.Commitment or Charge.Discount:
                var dates = !item.Dates.IsEmpty ? item.Dates : !keyDates.IsEmpty ? keyDates : [before[^1].Line.Service];
                return new DateRange(dates[0].Start, dates[^1].End);
            case not Charge.Fee when lost == 0 && gained.Count > 0:
                return Owed.Hull(gained.Select(e => e.Date));
            default:
                var changed = Owed.DaysOf(item.Dates, keyDates).Concat(Owed.DaysOf(keyDates, item.Dates)).ToList();
                return changed.Count > 0 ? Owed.Hull(changed) : item.Period;
        }
    }

    private static LineUnit UnitOf(Charge charge) => charge switch
    {
        Charge.Fee => LineUnit.Days,
        Charge.Overage or Charge.Hours => LineUnit.Minutes,
        Charge.Days => LineUnit.HalfDays,
        _ => LineUnit.Each,
    };

    private static string Describe(ItemKey key, string title, DateRange service, Currency currency)
    {
        var last = service.End!.Value.PlusDays(-1);
        var dates = service.Start == last ? Text(last) : $"{Text(service.Start)} to {Text(last)}";
        return key.Charge switch
        {
            Charge.Fee => $"{title}: retainer, {dates}",
            Charge.Overage => $"{title}: hours beyond the retainer at {new Money(key.Rate, currency)} an hour, {dates}",
            Charge.Hours => $"{title}: hours at {new Money(key.Rate, currency)} an hour, {dates}",
            Charge.Days => $"{title}: days at {new Money(key.Rate, currency)} a day, {dates}",
            Charge.Milestone => $"{title}, {dates}",
            Charge.Block => $"{title}: prepaid hours, {dates}",
            Charge.Commitment => $"{title}: minimum, {dates}",
            Charge.Discount => $"{title}: discount, {dates}",
            _ => throw new InvalidOperationException($"{key.Charge} has no description."),
        };

        static string Text(LocalDate date) => date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture);
    }
}
