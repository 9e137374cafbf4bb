using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Gateway.Billing.Documents;

namespace AgencyPlatform.Gateway.Billing.Explanations;

/// <summary>The sentences of explanations in a language, beside the <see cref="Documents.Words"/> of its documents.</summary>
internal sealed record ExplanationWords
{
    public static ExplanationWords English { get; } = new()
    {
        Words = Words.English,
        Rules = new()
        {
            [Charge.Fee] = "A retainer's fee: a fixed amount for each billing period. A part of a period is charged by its days.",
            [Charge.Overage] = "Time beyond what the fee or the prepaid hours cover, charged by the hour.",
            [Charge.Hours] = "Approved time, charged by the hour.",
            [Charge.Days] = "Work by the day: a date with a full day's time is a day, with half of it or more half a day.",
            [Charge.Milestone] = "A fixed amount that falls due when its milestone is reached.",
            [Charge.Block] = "Hours sold in advance, charged on their first day.",
            [Charge.Commitment] = "A minimum for each billing period: what the period's charges miss to it is charged.",
            [Charge.Discount] = "A discount on what is charged for its days.",
        },
        Steps = new()
        {
            [StepKind.BilledMinutes] = "Time billed",
            [StepKind.Minutes] = "Time in all",
            [StepKind.DayParts] = "Worked",
            [StepKind.HalfDays] = "Days in all",
            [StepKind.Amount] = "Amount",
            [StepKind.Uncapped] = "Of this outside the cap",
            [StepKind.ToCap] = "Of this under the cap",
            [StepKind.Cap] = "Cap for these days",
            [StepKind.CapLeft] = "Left of the cap after lower rates",
            [StepKind.Capped] = "No more than the cap",
            [StepKind.Price] = "Agreed amount",
            [StepKind.Promised] = "Minimum for these days",
            [StepKind.Charged] = "Charges of the period",
            [StepKind.ChargedLeft] = "Left of them after the earlier minimum",
            [StepKind.Missing] = "Missing to the minimum",
            [StepKind.Percentage] = "Percentage of the charges",
            [StepKind.FixedDiscount] = "Discount for these days",
            [StepKind.Wanted] = "Discount in all",
            [StepKind.DiscountCapLeft] = "Left of the discount's limit",
            [StepKind.DiscountCapped] = "No more than the limit",
            [StepKind.ChargesLeft] = "Left of them after other discounts",
            [StepKind.DiscountBound] = "No more than is charged",
            [StepKind.Discount] = "Taken off",
            [StepKind.NotOwed] = "Nothing is owed for this any more",
            [StepKind.LessInvoiced] = "Less what was invoiced before",
            [StepKind.ToTakeBack] = "Still to be taken back",
            [StepKind.LeftOfLine] = "Left of the corrected line",
            [StepKind.TakenBack] = "Taken back on this line",
            [StepKind.Credit] = "Credited",
            [StepKind.ByHand] = "Credited as agreed",
            [StepKind.Frozen] = "As invoiced",
            [StepKind.Taxable] = "Taxable amount",
            [StepKind.Tax] = "Tax",
            [StepKind.TaxSaved] = "Less tax because of discounts",
            [StepKind.TaxShare] = "Tax of this line",
            [StepKind.PostedBefore] = "Posted before",
            [StepKind.Posted] = "Posted now",
            [StepKind.Earned] = "Earned so far",
            [StepKind.LeftOfPrice] = "Left of the price after credits",
            [StepKind.HalfDaysAdded] = "Added by this entry",
        },
        Origins = new()
        {
            [TermsOrigin.Proposal] = "as proposed on {0}",
            [TermsOrigin.ScopeChange] = "as changed on {0}",
            [TermsOrigin.Pause] = "because of a pause, since {0}",
            [TermsOrigin.Taper] = "as the work is handed over, since {0}",
        },
        Rounded = "rounded once",
        Day = "{0} day",
        Days = "{0} days",
        LesserOf = "the lesser of {0} and {1}",
        StepsOf = "in steps of {0}",
        AtLeast = "at least {0}",
        FullDay = "a full day is {0}",
        ShareOf = "of {0} the share of {1} in {2}",
        Entries = "{0} entries",
        Amounts = "{0} amounts",
        OnLine = "{0}, line {1}",
        Line = "line {0}",
        Terms = "For {0} the terms hold that are in force since {1} ({2}): {3}.",
        Fee = "{0} for a full period",
        Hourly = "{0} an hour",
        Daily = "{0} a day",
        BlockPrice = "{0} for a block of {1} hours",
        Included = "{0} included in a full period, and in a part of one by its days",
        EntryIncrement = "each entry rounded up to {0}",
        EntryMinimum = "at least {0} an entry",
        Capped = "no more than {0} for a full period",
        Minimum = "at least {0} for a full period",
        PercentOff = "{0} off",
        AmountOff = "{0} off a full period",
        NoMoreInAll = "no more than {0} in all",
        Signed = "{0} signed on {1}",
        SignedFor = "{0} signed for {1} on {2}",
        Entry = "{0}, {1}: {2} worked",
        Charged = "{0} of it charged here",
        Approved = "approved on {0}",
        Consented = "overage of {0} consented to on {1}",
        TakenBack = "taken back on {0}",
        KeptBefore = "invoiced before",
        NoMore = "no longer charged here",
        MoreEntries = "And {0} more entries.",
        Milestone = "The milestone “{0}” was reached on {1}",
        Marked = "and marked so on {0}",
        Block = "{0} hours, to be used from {1} up to {2}",
        Sold = "sold on {0}",
        ToppedUp = "sold because the hours ran low, as the terms say, on {0}",
        ByHand = "This was credited by hand.",
        Ends = "The last day of the work is {0}.",
        Later = "Later changed by {0}: {1}.",
        LaterCorrected = "Later corrected by {0}: {1}.",
        Stale = "Something has changed since this draft was prepared. This is what the draft says; it is to be prepared again.",
        AsFrozen = "How this line was computed cannot be told again. This is what the line itself says.",
        Lines = "Total of the lines",
        TaxOn = "Tax of {0} on {1}",
        CreditUsed = "Account credit used",
        Payments = "Paid",
        CreditNotes = "Credited",
        WrittenOff = "Written off",
        SettledBefore = "Settled before the books were taken over",
        IssuedElsewhere = "This invoice was issued before the books were taken over: its lines are on it.",
        Untaxed = "Without tax",
        DueBy = "Due by {0}",
        NotFinal = "This is a draft: nothing is due yet.",
        Postings = new()
        {
            [PostingKind.Time] = "Time was approved, or consented to: what it costs, and what is charged for it. Both are of all such time so far, less what was posted before.",
            [PostingKind.TimeTakenBack] = "An approval of time was taken back, and with it what it had cost and what was charged for it.",
            [PostingKind.MilestoneReached] = "A milestone was reached: its amount is earned.",
            [PostingKind.MilestoneReopened] = "A milestone was not reached after all: its amount is taken back.",
            [PostingKind.FeeDays] = "What the days so far have earned of a fee that is invoiced later, less what was posted before. It falls where the terms or the end have changed.",
            [PostingKind.FeesRecognized] = "The days of a fee that was invoiced in advance have earned their part of it.",
            [PostingKind.PrepaidHours] = "What hours that are paid in advance have earned of their price, less what was posted before: more as they are used or expire, less as they are given back or credited.",
            [PostingKind.Invoice] = "An invoice was issued: what the client owes, against what each of its lines is for. The invoice's own explanation says how its lines come about.",
            [PostingKind.CreditNote] = "A credit note was issued: it takes back what the lines that it corrects had posted. Its own explanation says how its lines come about.",
            [PostingKind.Payment] = "A payment came in: it goes to invoices, and what is left of it to the client's credit.",
            [PostingKind.PaymentReversed] = "A payment did not stand: what it had gone to is open again.",
            [PostingKind.Refund] = "The client's credit was paid back.",
            [PostingKind.RefundReversed] = "A refund came back: it is the client's credit again.",
            [PostingKind.CreditAllocated] = "The client's credit went to invoices.",
            [PostingKind.WriteOff] = "What is open of an invoice will not be paid.",
            [PostingKind.Payout] = "Money was paid out for work.",
            [PostingKind.PayoutReversed] = "A payout came back: it is owed again.",
            [PostingKind.OpenBooks] = "The books were taken over as they stood.",
        },
        Accounts = new()
        {
            [LedgerAccount.Receivable] = "receivable",
            [LedgerAccount.UnbilledReceivable] = "unbilled receivable",
            [LedgerAccount.DeferredRevenue] = "deferred revenue",
            [LedgerAccount.Revenue] = "revenue",
            [LedgerAccount.TaxPayable] = "tax payable",
            [LedgerAccount.Cash] = "cash",
            [LedgerAccount.ClientCredit] = "client credit",
            [LedgerAccount.CostOfService] = "cost of service",
            [LedgerAccount.CmoPayable] = "owed to the CMO",
            [LedgerAccount.BadDebt] = "bad debt",
            [LedgerAccount.OpeningBalance] = "opening balance",
        },
        PostedOn = "Posted on {0}, recorded on {1}.",
        PostedLate = "The books of {0} were closed: it belongs to that day, and is posted on the first open day, {1}.",
        AsPosted = "How this was computed cannot be told again. These are the amounts that were posted.",
        CostRate = "The work of {0} costs {1} an hour since {2}.",
        Reference = "Reference: {0}.",
        Debited = "Debit {0}: {1}.",
        Credited = "Credit {0}: {1}.",
    };

    public static ExplanationWords German { get; } = new()
    {
        Words = Words.German,
        Rules = new()
        {
            [Charge.Fee] = "Eine Pauschale: ein fester Betrag je Abrechnungszeitraum. Ein Teil davon wird nach Tagen berechnet.",
            [Charge.Overage] = "Zeit über das hinaus, was die Pauschale oder die im Voraus gekauften Stunden abdecken, nach Stunden berechnet.",
            [Charge.Hours] = "Freigegebene Zeit, nach Stunden berechnet.",
            [Charge.Days] = "Arbeit nach Tagen: Ein Datum mit der Zeit eines vollen Tages ist ein Tag, mit der Hälfte davon oder mehr ein halber.",
            [Charge.Milestone] = "Ein fester Betrag, der fällig wird, wenn sein Meilenstein erreicht ist.",
            [Charge.Block] = "Im Voraus verkaufte Stunden, berechnet an ihrem ersten Tag.",
            [Charge.Commitment] = "Ein Mindestbetrag je Abrechnungszeitraum: Was den Leistungen des Zeitraums daran fehlt, wird berechnet.",
            [Charge.Discount] = "Ein Rabatt auf das, was für seine Tage berechnet wird.",
        },
        Steps = new()
        {
            [StepKind.BilledMinutes] = "Berechnete Zeit",
            [StepKind.Minutes] = "Zeit insgesamt",
            [StepKind.DayParts] = "Gearbeitet",
            [StepKind.HalfDays] = "Tage insgesamt",
            [StepKind.Amount] = "Betrag",
            [StepKind.Uncapped] = "Davon außerhalb der Obergrenze",
            [StepKind.ToCap] = "Davon unter der Obergrenze",
            [StepKind.Cap] = "Obergrenze für diese Tage",
            [StepKind.CapLeft] = "Rest der Obergrenze nach niedrigeren Sätzen",
            [StepKind.Capped] = "Nicht mehr als die Obergrenze",
            [StepKind.Price] = "Vereinbarter Betrag",
            [StepKind.Promised] = "Mindestbetrag für diese Tage",
            [StepKind.Charged] = "Leistungen des Zeitraums",
            [StepKind.ChargedLeft] = "Rest davon nach dem früheren Mindestbetrag",
            [StepKind.Missing] = "Fehlt zum Mindestbetrag",
            [StepKind.Percentage] = "Prozentsatz der Leistungen",
            [StepKind.FixedDiscount] = "Rabatt für diese Tage",
            [StepKind.Wanted] = "Rabatt insgesamt",
            [StepKind.DiscountCapLeft] = "Rest der Obergrenze des Rabatts",
            [StepKind.DiscountCapped] = "Nicht mehr als diese Obergrenze",
            [StepKind.ChargesLeft] = "Rest davon nach anderen Rabatten",
            [StepKind.DiscountBound] = "Nicht mehr als berechnet wird",
            [StepKind.Discount] = "Abgezogen",
            [StepKind.NotOwed] = "Dafür ist nichts mehr geschuldet",
            [StepKind.LessInvoiced] = "Abzüglich früher berechneter Beträge",
            [StepKind.ToTakeBack] = "Noch zurückzunehmen",
            [StepKind.LeftOfLine] = "Rest der korrigierten Position",
            [StepKind.TakenBack] = "Mit dieser Position zurückgenommen",
            [StepKind.Credit] = "Gutgeschrieben",
            [StepKind.ByHand] = "Gutgeschrieben wie vereinbart",
            [StepKind.Frozen] = "Wie berechnet",
            [StepKind.Taxable] = "Bemessungsgrundlage",
            [StepKind.Tax] = "Steuer",
            [StepKind.TaxSaved] = "Weniger Steuer wegen der Rabatte",
            [StepKind.TaxShare] = "Steuer dieser Position",
            [StepKind.PostedBefore] = "Schon gebucht",
            [StepKind.Posted] = "Jetzt gebucht",
            [StepKind.Earned] = "Bisher verdient",
            [StepKind.LeftOfPrice] = "Rest des Preises nach Gutschriften",
            [StepKind.HalfDaysAdded] = "Durch diesen Eintrag hinzugekommen",
        },
        Origins = new()
        {
            [TermsOrigin.Proposal] = "vorgeschlagen am {0}",
            [TermsOrigin.ScopeChange] = "geändert am {0}",
            [TermsOrigin.Pause] = "wegen einer Pause, seit {0}",
            [TermsOrigin.Taper] = "wegen der Übergabe, seit {0}",
        },
        Rounded = "einmal gerundet",
        Day = "{0} Tag",
        Days = "{0} Tage",
        LesserOf = "der kleinere Betrag aus {0} und {1}",
        StepsOf = "in Schritten von {0}",
        AtLeast = "mindestens {0}",
        FullDay = "ein voller Tag hat {0}",
        ShareOf = "von {0} der Anteil von {1} an {2}",
        Entries = "{0} Einträge",
        Amounts = "{0} Beträge",
        OnLine = "{0}, Position {1}",
        Line = "Position {0}",
        Terms = "Für {0} gelten die Bedingungen, die seit dem {1} in Kraft sind ({2}): {3}.",
        Fee = "{0} für einen vollen Zeitraum",
        Hourly = "{0} je Stunde",
        Daily = "{0} je Tag",
        BlockPrice = "{0} für einen Block von {1} Stunden",
        Included = "{0} in einem vollen Zeitraum enthalten, in einem Teil davon nach Tagen",
        EntryIncrement = "jeder Eintrag aufgerundet auf {0}",
        EntryMinimum = "mindestens {0} je Eintrag",
        Capped = "höchstens {0} für einen vollen Zeitraum",
        Minimum = "mindestens {0} für einen vollen Zeitraum",
        PercentOff = "{0} Rabatt",
        AmountOff = "{0} Rabatt für einen vollen Zeitraum",
        NoMoreInAll = "insgesamt höchstens {0}",
        Signed = "{0} hat am {1} unterschrieben",
        SignedFor = "{0} hat für {1} am {2} unterschrieben",
        Entry = "{0}, {1}: {2} gearbeitet",
        Charged = "davon hier berechnet {0}",
        Approved = "freigegeben am {0}",
        Consented = "Mehraufwand von {0} zugestimmt am {1}",
        TakenBack = "zurückgenommen am {0}",
        KeptBefore = "schon früher berechnet",
        NoMore = "hier nicht mehr berechnet",
        MoreEntries = "Und {0} weitere Einträge.",
        Milestone = "Der Meilenstein „{0}“ wurde am {1} erreicht",
        Marked = "und am {0} so vermerkt",
        Block = "{0} Stunden, zu nutzen ab {1} bis {2}",
        Sold = "verkauft am {0}",
        ToppedUp = "am {0} verkauft, weil die Stunden zur Neige gingen, wie vereinbart",
        ByHand = "Das wurde von Hand gutgeschrieben.",
        Ends = "Der letzte Tag der Arbeit ist der {0}.",
        Later = "Später geändert durch {0}: {1}.",
        LaterCorrected = "Später korrigiert durch {0}: {1}.",
        Stale = "Seit dieser Entwurf erstellt wurde, hat sich etwas geändert. Das sagt der Entwurf; er ist neu zu erstellen.",
        AsFrozen = "Wie diese Position berechnet wurde, lässt sich nicht mehr sagen. Das sagt die Position selbst.",
        Lines = "Summe der Positionen",
        TaxOn = "Steuer von {0} auf {1}",
        CreditUsed = "Guthaben verrechnet",
        Payments = "Bezahlt",
        CreditNotes = "Gutgeschrieben",
        WrittenOff = "Ausgebucht",
        SettledBefore = "Vor der Übernahme der Bücher beglichen",
        IssuedElsewhere = "Diese Rechnung wurde vor der Übernahme der Bücher ausgestellt: Ihre Positionen stehen auf ihr.",
        Untaxed = "Ohne Steuer",
        DueBy = "Fällig am {0}",
        NotFinal = "Das ist ein Entwurf: Noch ist nichts fällig.",
        Postings = new()
        {
            [PostingKind.Time] = "Zeit wurde freigegeben, oder ihr wurde zugestimmt: was sie kostet und was dafür berechnet wird. Beides gilt für alle solche Zeit bisher, abzüglich des schon Gebuchten.",
            [PostingKind.TimeTakenBack] = "Eine Freigabe von Zeit wurde zurückgenommen, und mit ihr, was sie gekostet hat und was dafür berechnet wurde.",
            [PostingKind.MilestoneReached] = "Ein Meilenstein wurde erreicht: Sein Betrag ist verdient.",
            [PostingKind.MilestoneReopened] = "Ein Meilenstein wurde doch nicht erreicht: Sein Betrag wird zurückgenommen.",
            [PostingKind.FeeDays] = "Was die Tage bisher von einer Pauschale verdient haben, die erst danach berechnet wird, abzüglich des schon Gebuchten. Es wird weniger, wo sich die Bedingungen oder das Ende geändert haben.",
            [PostingKind.FeesRecognized] = "Die Tage einer Pauschale, die im Voraus berechnet wurde, haben ihren Teil davon verdient.",
            [PostingKind.PrepaidHours] = "Was im Voraus bezahlte Stunden von ihrem Preis verdient haben, abzüglich des schon Gebuchten: mehr, wenn sie genutzt werden oder verfallen, weniger, wenn sie zurückgegeben oder gutgeschrieben werden.",
            [PostingKind.Invoice] = "Eine Rechnung wurde gestellt: was der Kunde schuldet, gegen das, wofür ihre Positionen sind. Wie diese zustande kommen, sagt die Erklärung der Rechnung selbst.",
            [PostingKind.CreditNote] = "Eine Gutschrift wurde erstellt: Sie nimmt zurück, was die korrigierten Positionen gebucht hatten. Wie ihre Positionen zustande kommen, sagt ihre eigene Erklärung.",
            [PostingKind.Payment] = "Eine Zahlung ist eingegangen: Sie geht an Rechnungen, und was davon übrig ist, ist Guthaben des Kunden.",
            [PostingKind.PaymentReversed] = "Eine Zahlung hatte keinen Bestand: Wohin sie gegangen war, ist wieder offen.",
            [PostingKind.Refund] = "Das Guthaben des Kunden wurde ausgezahlt.",
            [PostingKind.RefundReversed] = "Eine Auszahlung kam zurück: Sie ist wieder Guthaben des Kunden.",
            [PostingKind.CreditAllocated] = "Das Guthaben des Kunden ging an Rechnungen.",
            [PostingKind.WriteOff] = "Was von einer Rechnung offen ist, wird nicht mehr bezahlt.",
            [PostingKind.Payout] = "Geld wurde für Arbeit ausgezahlt.",
            [PostingKind.PayoutReversed] = "Eine Auszahlung kam zurück: Sie ist wieder geschuldet.",
            [PostingKind.OpenBooks] = "Die Bücher wurden übernommen, wie sie standen.",
        },
        Accounts = new()
        {
            [LedgerAccount.Receivable] = "Forderungen",
            [LedgerAccount.UnbilledReceivable] = "noch nicht berechnete Leistungen",
            [LedgerAccount.DeferredRevenue] = "im Voraus berechnete Erlöse",
            [LedgerAccount.Revenue] = "Erlöse",
            [LedgerAccount.TaxPayable] = "Umsatzsteuer",
            [LedgerAccount.Cash] = "Bank",
            [LedgerAccount.ClientCredit] = "Guthaben des Kunden",
            [LedgerAccount.CostOfService] = "Kosten der Leistung",
            [LedgerAccount.CmoPayable] = "dem CMO geschuldet",
            [LedgerAccount.BadDebt] = "Forderungsausfälle",
            [LedgerAccount.OpeningBalance] = "Eröffnungsbilanz",
        },
        PostedOn = "Gebucht am {0}, erfasst am {1}.",
        PostedLate = "Die Bücher für den {0} waren geschlossen: Es gehört zu diesem Tag und ist am ersten offenen Tag gebucht, dem {1}.",
        AsPosted = "Wie das berechnet wurde, lässt sich nicht mehr sagen. Das sind die gebuchten Beträge.",
        CostRate = "Die Arbeit von {0} kostet seit dem {2} {1} je Stunde.",
        Reference = "Referenz: {0}.",
        Debited = "Soll {0}: {1}.",
        Credited = "Haben {0}: {1}.",
    };

    public required Words Words { get; init; }
    public required Dictionary<Charge, string> Rules { get; init; }
    public required Dictionary<StepKind, string> Steps { get; init; }

    /// <summary>{0} the date.</summary>
    public required Dictionary<TermsOrigin, string> Origins { get; init; }
    public required string Rounded { get; init; }
    public required string Day { get; init; }
    public required string Days { get; init; }
    public required string LesserOf { get; init; }
    public required string StepsOf { get; init; }
    public required string AtLeast { get; init; }
    public required string FullDay { get; init; }

    /// <summary>{0} what is split, {1} the amount of the line, {2} the sum of the lines.</summary>
    public required string ShareOf { get; init; }
    public required string Entries { get; init; }
    public required string Amounts { get; init; }

    /// <summary>{0} the document's number, {1} the line's.</summary>
    public required string OnLine { get; init; }
    public required string Line { get; init; }

    /// <summary>{0} the days, {1} the date from which they hold, {2} their origin, {3} what they say.</summary>
    public required string Terms { get; init; }
    public required string Fee { get; init; }
    public required string Hourly { get; init; }
    public required string Daily { get; init; }

    /// <summary>{0} the price, {1} how many hours.</summary>
    public required string BlockPrice { get; init; }
    public required string Included { get; init; }
    public required string EntryIncrement { get; init; }
    public required string EntryMinimum { get; init; }
    public required string Capped { get; init; }
    public required string Minimum { get; init; }
    public required string PercentOff { get; init; }
    public required string AmountOff { get; init; }
    public required string NoMoreInAll { get; init; }

    /// <summary>{0} who, {1} when.</summary>
    public required string Signed { get; init; }

    /// <summary>{0} the delegate, {1} the decision maker, {2} when.</summary>
    public required string SignedFor { get; init; }

    /// <summary>{0} the date, {1} who, {2} how long.</summary>
    public required string Entry { get; init; }
    public required string Charged { get; init; }
    public required string Approved { get; init; }
    public required string Consented { get; init; }
    public required string TakenBack { get; init; }
    public required string KeptBefore { get; init; }
    public required string NoMore { get; init; }
    public required string MoreEntries { get; init; }
    public required string Milestone { get; init; }
    public required string Marked { get; init; }
    public required string Block { get; init; }
    public required string Sold { get; init; }
    public required string ToppedUp { get; init; }
    public required string ByHand { get; init; }
    public required string Ends { get; init; }

    /// <summary>{0} the line, {1} its amount.</summary>
    public required string Later { get; init; }
    public required string LaterCorrected { get; init; }
    public required string Stale { get; init; }
    public required string AsFrozen { get; init; }
    public required string Lines { get; init; }

    /// <summary>{0} the rate, {1} the amount that it is on.</summary>
    public required string TaxOn { get; init; }
    public required string CreditUsed { get; init; }
    public required string Payments { get; init; }
    public required string CreditNotes { get; init; }
    public required string WrittenOff { get; init; }
    public required string SettledBefore { get; init; }
    public required string IssuedElsewhere { get; init; }
    public required string Untaxed { get; init; }
    public required string DueBy { get; init; }
    public required string NotFinal { get; init; }
    public required Dictionary<PostingKind, string> Postings { get; init; }
    public required Dictionary<LedgerAccount, string> Accounts { get; init; }

    /// <summary>{0} the posting date, {1} when it was recorded.</summary>
    public required string PostedOn { get; init; }

    /// <summary>{0} the day that it belongs to, {1} the posting date.</summary>
    public required string PostedLate { get; init; }
    public required string AsPosted { get; init; }

    /// <summary>{0} who, {1} the rate, {2} since when.</summary>
    public required string CostRate { get; init; }
    public required string Reference { get; init; }

    /// <summary>{0} the account, {1} the amount.</summary>
    public required string Debited { get; init; }
    public required string Credited { get; init; }

    /// <param name="language">BCP 47; one that nothing is written in gives English.</param>
    public static ExplanationWords For(string language) => Words.For(language) == Words.German ? German : English;
}
