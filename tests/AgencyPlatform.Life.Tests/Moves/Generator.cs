using System.Collections.Immutable;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Time;
using AgencyPlatform.Life.Tests.Model;
using NodaTime;
using Step = AgencyPlatform.Life.Tests.Model.Step;
using static AgencyPlatform.Domain.Engagements.EngagementState;

namespace AgencyPlatform.Life.Tests.Moves;

/// <summary>Draws the next moves from what the model knows: mostly such that lead on, and some that cannot be.</summary>
internal sealed class Generator(Random random, ModelAgency model)
{
    private static readonly string[] s_engagements = ["e0", "e1", "e2"];
    private int _ids;

    /// <summary>Every move that there is, by name.</summary>
    public static readonly string[] Names =
    [
        "create", "update", "propose", "revise", "sign", "decline", "withdraw", "comment", "request agreement", "agree", "decline agreement", "activate", "sign renewal", "pause", "resume",
        "propose scope change", "sign scope change", "agree to scope change", "decline scope change", "withdraw scope change", "apply scope change", "request cover", "consent to cover",
        "agree to cover", "decline cover", "book cover", "cancel cover", "start transition", "put handover item", "end", "consent to overage", "log time", "remove entry", "submit", "reject",
        "approve", "reverse", "dispute", "resolve", "report nothing worked", "hold", "book", "confirm", "extend hold", "change booking", "release", "add time off", "cancel time off", "report absence",
    ];

    public Move Next()
    {
        var open = new List<(double Weight, Func<Move> Make)>();
        foreach (var id in s_engagements)
        {
            OfEngagement(model.Engagement(id), open);
        }

        OfSheets(open);
        OfCmos(open);
        var at = random.NextDouble() * open.Sum(o => o.Weight);
        foreach (var (weight, make) in open)
        {
            if ((at -= weight) < 0)
            {
                return make();
            }
        }

        return open[^1].Make();
    }

    private void OfEngagement(ModelEngagement e, List<(double, Func<Move>)> open)
    {
        var id = e.Id;
        if (!e.Exists)
        {
            open.Add((8, () => AllMoves.Create(NewId(), id, e.Client, Plan(e.Client))));
            open.Add((0.1, () => Any(e)));
            return;
        }

        open.Add((0.7, () => Any(e)));
        switch (e.State)
        {
            case Draft:
                open.Add((9, () => Propose(e)));
                open.Add((1, () => AllMoves.Update(NewId(), id, Plan(e.Client))));
                open.Add((0.4, () => AllMoves.Comment(NewId(), id, Somebody(e.Client))));
                break;
            case Proposed:
                open.Add((10, () => Sign(e)));
                open.Add((4, () => Agree(e)));
                open.Add((1, () => RequestAgreement(e)));
                open.Add((0.4, () => AllMoves.DeclineAgreement(NewId(), id, Pick(e.Members).Cmo, Read(e.Revision))));
                open.Add((0.4, () => AllMoves.Revise(NewId(), id)));
                open.Add((0.2, () => AllMoves.Decline(NewId(), id, Somebody(e.Client), Read(e.Revision))));
                open.Add((0.2, () => AllMoves.Withdraw(NewId(), id)));
                break;
            case Accepted:
                open.Add((10, () => AllMoves.Activate(NewId(), id)));
                open.Add((5, () => Agree(e)));
                open.Add((0.3, () => AllMoves.DeclineAgreement(NewId(), id, Pick(e.Members).Cmo, Read(e.Revision))));
                open.Add((0.1, () => AllMoves.Withdraw(NewId(), id)));
                break;
            case Active:
                open.Add((1.2, () => Pause(e)));
                open.Add((e.Scope is { IsOpen: true } ? 0.2 : 1.6, () => ProposeScope(e)));
                open.Add((2.5, () => RequestCover(e)));
                open.Add((0.4, () => StartTransition(e)));
                open.Add((0.4, () => End(e)));
                OfScope(e, open);
                OfCovers(e, open);
                break;
            case Paused:
                open.Add((4, () => AllMoves.Resume(NewId(), id, e.OpenPause!.Start.PlusDays(random.Next(1, 60)))));
                open.Add((0.7, () => StartTransition(e)));
                open.Add((0.5, () => End(e)));
                OfScope(e, open);
                OfCovers(e, open);
                break;
            case Transitioning:
                open.Add((1.5, () => PutHandoverItem(e)));
                open.Add((0.8, () => RequestCover(e)));
                open.Add((0.4, () => End(e)));
                OfCovers(e, open);
                break;
        }

        if (e.State is Active or Paused && e.Plan.Term is { Renewal: Renewal.BySignature })
        {
            open.Add((3, () => SignRenewal(e)));
        }

        if (e.Consentable > 0)
        {
            open.Add((10, () => AllMoves.ConsentToOverage(NewId(), id, random.Next(1, e.Consentable + (Chance(0.2) ? 30 : 1)))));
        }
    }

    private void OfScope(ModelEngagement e, List<(double, Func<Move>)> open)
    {
        if (e.Scope is not { IsOpen: true } scope)
        {
            return;
        }

        if (scope.State == ScopeState.Proposed)
        {
            open.Add((6, () => SignScope(e)));
            open.Add((0.3, () => AllMoves.CloseScope(NewId(), e.Id, Read(scope.Number), byClient: true)));
        }
        else
        {
            open.Add((6, () => AllMoves.ApplyScope(NewId(), e.Id, Read(scope.Number))));
        }

        if (scope.MustAgree.Count > scope.Agreed.Count)
        {
            open.Add((5, () => AllMoves.AgreeToScope(NewId(), e.Id, Pick([.. scope.MustAgree]), Read(scope.Number))));
        }

        open.Add((0.4, () => AllMoves.CloseScope(NewId(), e.Id, Read(scope.Number), byClient: false)));
    }

    private void OfCovers(ModelEngagement e, List<(double, Func<Move>)> open)
    {
        foreach (var cover in e.Covers.Values)
        {
            if (cover.State == CoverState.Requested)
            {
                open.Add((cover.ConsentOf is null ? 3 : 0.2, () => AllMoves.ConsentToCover(NewId(), e.Id, cover.Id, Somebody(e.Client))));
                open.Add((cover.Agreed ? 0.2 : 3, () => AllMoves.AgreeToCover(NewId(), e.Id, cover.Id, cover.Covering)));
                open.Add((cover.ConsentOf is not null ? 5 : 0.3, () => AllMoves.BookCover(NewId(), e.Id, cover.Id)));
                open.Add((0.4, () => AllMoves.DeclineCover(NewId(), e.Id, cover.Id)));
            }
            else if (cover.State == CoverState.Booked)
            {
                open.Add((6, () => AllMoves.CancelCover(NewId(), e.Id, cover.Id, Pick([.. cover.Minutes.Keys]).PlusDays(random.Next(0, 2)))));
            }
        }
    }

    private void OfSheets(List<(double, Func<Move>)> open)
    {
        if (model.Engagements.Values.Any(e => e.State is Active or Paused or Transitioning or Ended))
        {
            open.Add((7, Log));
            open.Add((0.3, () => AllMoves.ReportNothingWorked(NewId(), Cmo().Id, IsoWeek.Of(model.Today("UTC").PlusDays(random.Next(-30, 8))))));
        }

        foreach (var sheet in model.Sheets.Values.Where(s => s.Exists))
        {
            var (cmo, week) = (sheet.Cmo, sheet.Week);
            string[] Chosen(TimeEntryState state) => Chance(0.4) ? [] : [Pick([.. sheet.Entries.Values.Where(e => e.State == state)]).Id];
            string One(TimeEntryState state) => Pick([.. sheet.Entries.Values.Where(e => e.State == state)]).Id;
            bool Has(TimeEntryState state) => sheet.Entries.Values.Any(e => e.State == state);
            if (Has(TimeEntryState.Draft))
            {
                open.Add((3, () => AllMoves.Submit(NewId(), cmo, week, Chosen(TimeEntryState.Draft))));
                open.Add((0.2, () => AllMoves.RemoveEntry(NewId(), cmo, week, One(TimeEntryState.Draft))));
            }

            if (Has(TimeEntryState.Submitted))
            {
                open.Add((4, () => AllMoves.Approve(NewId(), cmo, week, Chosen(TimeEntryState.Submitted), Actor(cmo))));
                open.Add((0.4, () => AllMoves.Reject(NewId(), cmo, week, [One(TimeEntryState.Submitted)])));
                open.Add((0.3, () => AllMoves.Dispute(NewId(), cmo, week, One(TimeEntryState.Submitted), Chance(0.5))));
            }

            if (Has(TimeEntryState.Approved))
            {
                open.Add((0.4, () => AllMoves.Dispute(NewId(), cmo, week, One(TimeEntryState.Approved), Chance(0.5))));
                open.Add((0.5, () => AllMoves.Reverse(NewId(), cmo, week, [One(TimeEntryState.Approved)], Actor(cmo))));
            }

            if (Has(TimeEntryState.Disputed))
            {
                open.Add((2, () => AllMoves.Resolve(NewId(), cmo, week, One(TimeEntryState.Disputed), (DisputeResolution)random.Next(3), Actor(cmo))));
            }

            if (sheet.Entries.Count > 0)
            {
                open.Add((0.2, () => OnEntry(sheet, Pick([.. sheet.Entries.Values]).Id)));
            }
        }
    }

    /// <summary>Whatever may be done with an entry, in whatever state it is.</summary>
    private Move OnEntry(ModelSheet sheet, string entry) => random.Next(6) switch
    {
        0 => AllMoves.Submit(NewId(), sheet.Cmo, sheet.Week, [entry]),
        1 => AllMoves.Approve(NewId(), sheet.Cmo, sheet.Week, [entry], Actor(sheet.Cmo)),
        2 => AllMoves.Reject(NewId(), sheet.Cmo, sheet.Week, [entry]),
        3 => AllMoves.Dispute(NewId(), sheet.Cmo, sheet.Week, entry, Chance(0.5)),
        4 => AllMoves.Reverse(NewId(), sheet.Cmo, sheet.Week, [entry], Actor(sheet.Cmo)),
        _ => AllMoves.RemoveEntry(NewId(), sheet.Cmo, sheet.Week, entry),
    };

    private void OfCmos(List<(double, Func<Move>)> open)
    {
        var cmo = Cmo();
        open.Add((1.5, () => AllMoves.Hold(NewId(), cmo.Id, $"b{++_ids}", Client(), SomeSteps(), Duration.FromMinutes(random.Next(10, 20_000)))));
        open.Add((0.6, () => AllMoves.Book(NewId(), cmo.Id, $"b{++_ids}", Client(), SomeSteps())));
        open.Add((0.3, () => AllMoves.AddTimeOff(NewId(), cmo.Id, $"o{++_ids}", model.Today(cmo.Zone).PlusDays(random.Next(0, 40)), model.Today(cmo.Zone).PlusDays(random.Next(41, 50)))));
        open.Add((0.4, () => ReportAbsence(cmo)));
        if (cmo.TimeOff.Count > 0)
        {
            open.Add((0.4, () => AllMoves.CancelTimeOff(NewId(), cmo.Id, Pick(cmo.TimeOff).Id)));
        }

        var known = cmo.Bookings.Select(b => b.Id).Concat(cmo.Expired).ToList();
        if (known.Count > 0)
        {
            open.Add((0.5, () => AllMoves.Confirm(NewId(), cmo.Id, Pick(known))));
            open.Add((0.3, () => AllMoves.ExtendHold(NewId(), cmo.Id, Pick(known), Duration.FromDays(random.Next(1, 20)))));
            open.Add((0.5, () => AllMoves.Change(NewId(), cmo.Id, Pick(known), SomeSteps())));
            open.Add((0.6, () => AllMoves.Release(NewId(), cmo.Id, Pick(known))));
        }
    }

    /// <summary>Any move of an engagement, whether its state allows it or not.</summary>
    private Move Any(ModelEngagement e)
    {
        var id = e.Id;
        var cover = e.Covers.Count > 0 ? Pick([.. e.Covers.Keys]) : "c0";
        return random.Next(29) switch
        {
            0 => AllMoves.Create(NewId(), id, e.Client, Plan(e.Client)),
            1 => AllMoves.Update(NewId(), id, Plan(e.Client)),
            2 => Propose(e),
            3 => AllMoves.Revise(NewId(), id),
            4 => Sign(e),
            5 => AllMoves.Decline(NewId(), id, Somebody(e.Client), 0),
            6 => AllMoves.Withdraw(NewId(), id),
            7 => AllMoves.Comment(NewId(), id, Somebody(e.Client)),
            8 => RequestAgreement(e),
            9 => AllMoves.Agree(NewId(), id, Cmo().Id, Read(e.Revision)),
            10 => AllMoves.DeclineAgreement(NewId(), id, Cmo().Id, Read(e.Revision)),
            11 => AllMoves.Activate(NewId(), id),
            12 => SignRenewal(e),
            13 => Pause(e),
            14 => AllMoves.Resume(NewId(), id, model.Today("UTC").PlusDays(random.Next(-5, 40))),
            15 when e.Exists => ProposeScope(e),
            16 => SignScope(e),
            17 => AllMoves.AgreeToScope(NewId(), id, Cmo().Id, Read(e.Scope?.Number ?? 1)),
            18 => AllMoves.CloseScope(NewId(), id, Read(e.Scope?.Number ?? 1), Chance(0.5)),
            19 => AllMoves.ApplyScope(NewId(), id, Read(e.Scope?.Number ?? 1)),
            20 => RequestCover(e),
            21 => AllMoves.ConsentToCover(NewId(), id, cover, Somebody(e.Client)),
            22 => AllMoves.AgreeToCover(NewId(), id, cover, Cmo().Id),
            23 => AllMoves.BookCover(NewId(), id, cover),
            24 => AllMoves.CancelCover(NewId(), id, cover, model.Today("UTC")),
            25 => StartTransition(e),
            26 => PutHandoverItem(e),
            27 => AllMoves.DeclineCover(NewId(), id, cover),
            _ => End(e),
        };
    }

    private Move Propose(ModelEngagement e) =>
        AllMoves.Propose(NewId(), e.Id, Chance(0.3) ? model.Clock + Duration.FromHours(random.Next(Chance(0.05) ? -10 : 1, 400)) : null, Chance(0.4));

    private Move Sign(ModelEngagement e)
    {
        var (person, by) = Signer(e.Client);
        return AllMoves.Sign(NewId(), e.Id, person, by, Read(e.Revision));
    }

    private Move SignScope(ModelEngagement e)
    {
        var (person, by) = Signer(e.Client);
        return AllMoves.SignScope(NewId(), e.Id, person, Read(e.Scope?.Number ?? 1), by);
    }

    private Move SignRenewal(ModelEngagement e)
    {
        var (person, by) = Signer(e.Client);
        return AllMoves.SignRenewal(NewId(), e.Id, person, Read(e.Renewals + 1), by);
    }

    private Move RequestAgreement(ModelEngagement e) => AllMoves.RequestAgreement(
        NewId(), e.Id, Chance(0.5) ? [] : [Cmo().Id], Chance(0.5) ? model.Clock + Duration.FromHours(random.Next(Chance(0.05) ? -10 : 1, 100)) : null);

    private Move Agree(ModelEngagement e)
    {
        var open = e.Members.Where(m => !e.Agreements.Contains(m.Cmo)).ToList();
        return open.Count > 0 && Chance(0.15) ? AllMoves.RequestAgreement(NewId(), e.Id, [Pick(open).Cmo], null)
            : AllMoves.Agree(NewId(), e.Id, (open.Count > 0 ? Pick(open) : Pick(e.Members)).Cmo, Read(e.Revision));
    }

    private Move Pause(ModelEngagement e)
    {
        var from = Day(e, -2, 40);
        return AllMoves.Pause(NewId(), e.Id, Chance(0.1) && e.Exists ? e.Plan.Start : from, Chance(0.35) ? from.PlusDays(random.Next(1, 40)) : null, Pick([0, 0, 50, 100]));
    }

    private Move End(ModelEngagement e)
    {
        var term = e is { Exists: true, TermEnd: { } end } && Chance(0.6) ? end : Day(e, -10, 90);
        return AllMoves.End(NewId(), e.Id, e.End is { } agreed && Chance(0.3) ? agreed : term, Chance(0.4));
    }

    private Move ProposeScope(ModelEngagement e)
    {
        var from = LocalDate.Max(Day(e, -5, 40), Chance(0.7) && e.ScopeFrom is { } last ? last : LocalDate.MinIsoValue);
        var members = ImmutableArray<ModelMember>.Empty;
        string? lead = null;
        if (Chance(0.75))
        {
            // Everybody, perhaps without somebody, perhaps with somebody else.
            var cmos = e.Members.Select(m => m.Cmo).Where(_ => Chance(0.8)).ToList();
            if (Chance(0.5) || cmos.Count == 0)
            {
                cmos.Add(Cmo().Id);
            }

            members =
            [
                .. cmos.Distinct().Select(c => new ModelMember(
                    c, e.Members.Any(m => m.Cmo == c) && Chance(0.3) ? [] : [new Step(from, e.End ?? (Chance(0.5) ? null : from.PlusDays(random.Next(30, 120))), Weekly())], null, Chance(0.3))),
            ];
            lead = members.Any(m => m.Cmo == e.Lead) && Chance(0.7) ? null : members[0].Cmo;
        }

        return AllMoves.ProposeScope(
            NewId(), e.Id, e.Plan, new ModelProposal(from, lead, members, Chance(0.5) || members.IsEmpty && Chance(0.9) ? Terms(e.Plan.Terms.Retainer) : null),
            Chance(0.2) ? model.Clock + Duration.FromHours(random.Next(1, 300)) : null);
    }

    private Move RequestCover(ModelEngagement e)
    {
        var dates = ImmutableSortedDictionary.CreateBuilder<LocalDate, int>();
        var first = Day(e, -3, 30);
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            dates[first.PlusDays(random.Next(0, 10))] = Pick([60, 120, 240, 480]);
        }

        var away = e.Members.Count > 0 && Chance(0.9) ? Pick(e.Members).Cmo : Cmo().Id;
        return AllMoves.RequestCover(NewId(), e.Id, $"c{(Chance(0.9) ? ++_ids : 0)}", away, Cmo().Id, dates.ToImmutable(), Chance(0.3));
    }

    private Move StartTransition(ModelEngagement e)
    {
        var first = LocalDate.Max(Day(e, -3, 30), e.OpenPause?.Start.PlusDays(1) ?? LocalDate.MinIsoValue);
        var taper = new List<(LocalDate, int)> { (first, Pick([0, 50, 75, 100])) };
        for (var n = random.Next(0, 3); n > 0; n--)
        {
            taper.Add((taper[^1].Item1.PlusDays(random.Next(5, 40)), Chance(0.05) ? 100 : random.Next(0, taper[^1].Item2 + 1)));
        }

        return AllMoves.StartTransition(NewId(), e.Id, [.. taper], ["ads", "crm"]);
    }

    private Move PutHandoverItem(ModelEngagement e) => AllMoves.PutHandoverItem(NewId(), e.Id, Pick(["ads", "crm", "site"]), Chance(0.5) ? Pick(["Accounts", "Logins"]) : null, Chance(0.5));

    private Move Log()
    {
        var e = Pick([.. model.Engagements.Values.Where(e => e.State is Active or Paused or Transitioning or Ended)]);
        var covers = e.Covers.Values.Where(c => c.State == CoverState.Booked).ToList();
        string cmo;
        LocalDate date;
        if (covers.Count > 0 && Chance(0.3))
        {
            var cover = Pick(covers);
            (cmo, date) = (cover.Covering, Pick([.. cover.Minutes.Keys]));
        }
        else
        {
            cmo = Chance(0.05) ? Cmo().Id : Pick(e.Members).Cmo;
            date = model.Today(model.Cmo(cmo).Zone).PlusDays(-random.Next(Chance(0.05) ? -2 : 0, Chance(0.2) ? 45 : 9));
            if (date < e.Plan.Start && Chance(0.8) && e.Plan.Start <= model.Today(model.Cmo(cmo).Zone))
            {
                date = e.Plan.Start;
            }
        }

        var week = IsoWeek.Of(date);
        var known = model.Sheets.TryGetValue($"{cmo}/{week}", out var sheet) ? sheet.Entries.Keys.ToList() : [];
        var rows = new List<ModelEntry> { new(known.Count > 0 && Chance(0.15) ? Pick(known) : $"t{++_ids}", e.Id, date, Minutes(), Chance(0.9), Chance(0.9)) };
        if (Chance(0.4) && IsoWeek.Of(date.PlusDays(1)) == week && date < model.Today(model.Cmo(cmo).Zone))
        {
            rows.Add(new ModelEntry($"t{++_ids}", e.Id, date.PlusDays(1), Minutes(), true, true));
        }

        return AllMoves.LogTime(NewId(), cmo, week, [.. rows]);
    }

    private Move ReportAbsence(ModelCmo cmo)
    {
        var start = model.Today(cmo.Zone).PlusDays(random.Next(0, 12));
        return AllMoves.ReportAbsence(NewId(), $"a{(Chance(0.9) ? ++_ids : 0)}", cmo.Id, start, start.PlusDays(random.Next(Chance(0.05) ? 0 : 1, 14)));
    }

    // ---- parts ----

    private ModelPlan Plan(ModelClient client)
    {
        var start = model.Today(ModelEngagement.Zone).PlusDays(random.Next(Chance(0.3) ? -20 : 0, 15));
        var renewal = Pick([Renewal.None, Renewal.Automatic, Renewal.BySignature]);
        var term = Chance(0.4) ? new ModelTerm(random.Next(1, 4), renewal, renewal == Renewal.None ? 0 : random.Next(1, 3), renewal == Renewal.Automatic ? random.Next(0, 40) : 0) : null;
        LocalDate? end = term is null ? Chance(0.15) ? null : start.PlusDays(random.Next(Chance(0.03) ? 0 : 20, 200)) : renewal == Renewal.None ? term.EndOf(start, 0) : null;
        var members = ImmutableArray.CreateBuilder<ModelMember>();
        foreach (var cmo in model.Cmos.OrderBy(_ => random.Next()).Take(Chance(0.4) ? 1 : 2))
        {
            var holds = cmo.Bookings.Where(b => b.Owner is null && (!b.Confirmed || Chance(0.2)) && (b.Client == client.Id || Chance(0.1))).Select(b => b.Id).Concat(cmo.Expired.Where(_ => Chance(0.05))).ToList();
            members.Add(
                holds.Count > 0 && Chance(0.7) ? new ModelMember(cmo.Id, [], Pick(holds), Chance(0.5))
                : !(end <= start.PlusDays(10)) && Chance(0.3) ? new ModelMember(cmo.Id, [new Step(start, start.PlusDays(7), Weekly()), new Step(start.PlusDays(7), end, Weekly())], null, Chance(0.5))
                : new ModelMember(cmo.Id, [new Step(start, end, Weekly())], null, Chance(0.5)));
        }

        return new ModelPlan(
            start, end, term, members.ToImmutable(), Terms(Chance(0.8)), Pick([1, 15, 31, start.Day]), Chance(0.85) ? 1 : 3, Chance(0.75) ? 1 : Chance(0.9) ? 2 : 5);
    }

    private ModelTerms Terms(bool retainer) => retainer
        ? new ModelTerms(
            true, Pick([300_000L, 499_999, 500_000, 800_000, 1_500_000]), Pick([0, 600, 1_200, 1_201, 2_400]), Pick([OverageGate.Block, OverageGate.Consent, OverageGate.Consent, OverageGate.Bill]),
            Chance(0.6)
                ? new Rollover(Pick([60, 300, 600]), random.Next(1, 4), Chance(0.3) ? Pick([100, 700]) : null, Chance(0.5), Chance(0.3), Pick([10, 10, 15, 25]))
                : null,
            null)
        : new ModelTerms(false, 25_000, 0, OverageGate.Block, null, Pick<long?>([null, 400_000, 900_000]));

    private ImmutableArray<Step> SomeSteps()
    {
        var from = model.Today("UTC").PlusDays(random.Next(0, 40));
        if (Chance(0.2))
        {
            var dates = ImmutableSortedDictionary<LocalDate, int>.Empty;
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                dates = dates.SetItem(from.PlusDays(random.Next(0, 12)), Pick([60, 240, 480, 500]));
            }

            return [Step.Named(dates)];
        }

        return [new Step(from, Chance(0.2) ? null : from.PlusDays(random.Next(5, 150)), Weekly())];
    }

    private (string Person, string? By) Signer(ModelClient client)
    {
        if (client.Delegations.Length > 0 && Chance(0.15))
        {
            var given = Pick(client.Delegations);
            return (given.From, given.To);
        }

        return (Somebody(client), Chance(0.03) ? client.Others[0] : null);
    }

    private string Somebody(ModelClient client) => Chance(0.95) ? Pick(client.DecisionMakers) : Pick([client.Others[0], "nobody"]);

    /// <summary>A day of the engagement, about today.</summary>
    private LocalDate Day(ModelEngagement e, int least, int most)
    {
        var day = model.Today(ModelEngagement.Zone).PlusDays(random.Next(least, most));
        return e.Exists && Chance(0.9) ? LocalDate.Max(e.Plan.Start, e.End is { } end && day >= end ? end.PlusDays(-1) : day) : day;
    }

    private int Read(int current) => Chance(0.85) ? current : Chance(0.5) ? 0 : current + 1;

    private int Minutes() => Pick([30, 120, 240, 400, 480, 700, 1_000]);

    private int Weekly() => Pick([45, 120, 300, 480, 600, 960, 1_400]);

    private string Actor(string cmo) => Chance(0.05) ? $"cmo:{cmo}" : "key:test";

    private ModelCmo Cmo() => Pick([.. model.Cmos]);

    private string Client() => Pick([.. model.Clients]).Id;

    private bool Chance(double share) => random.NextDouble() < share;

    private T Pick<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];

    private static Guid NewId() => Guid.CreateVersion7();
}
