using System.Collections.Immutable;
using AgencyPlatform.Domain.Engagements;
using NodaTime;
using static AgencyPlatform.Domain.Engagements.EngagementState;

namespace AgencyPlatform.Life.Tests.Model;

/// <summary>An engagement by the rules of domain §3, docs/engagement-life.md and docs/running-engagements.md. Plain and mutable; it calls nothing of the product.</summary>
internal sealed partial class ModelEngagement(string id, ModelAgency agency, ModelClient client)
{
    public const string Zone = ModelAgency.SellerZone;

    public string Id { get; } = id;
    public ModelClient Client { get; } = client;
    public bool Exists { get; private set; }
    public ModelPlan Plan { get; private set; } = null!;
    public string Lead { get; private set; } = "";
    public List<ModelMember> Members { get; private set; } = [];
    public EngagementState State { get; private set; } = Draft;
    public LocalDate? End { get; private set; }
    public int Revision { get; private set; }
    public Instant? ExpiresAt { get; private set; }
    public ModelNeed Need { get; private set; } = new(1, [], []);
    public Dictionary<string, string> Signatures { get; } = [];
    public HashSet<string> Agreements { get; } = [];

    /// <summary>What the members' holds were for when it was proposed, as text.</summary>
    public Dictionary<string, string> SignedHolds { get; set; } = [];

    /// <summary>By CMO: until when, and what became of it.</summary>
    public Dictionary<string, (Instant? Until, AgreementAnswer Answer)> Asked { get; } = [];

    public int Comments { get; private set; }
    public bool FreesHolds { get; private set; }

    /// <summary>Holds of a proposal that ended, which are to be released; and whether the CMO has.</summary>
    public Dictionary<string, (string Hold, bool Freed)> ToFree { get; } = [];

    public int Renewals { get; private set; }
    public HashSet<string> RenewalSigned { get; } = [];
    public ModelNeed? RenewalNeed { get; private set; }
    public ModelSaga? Saga { get; private set; }

    /// <summary>How each move that is a saga came out; null: done.</summary>
    public Dictionary<Guid, string?> Outcomes { get; } = [];

    /// <summary>How often anything of it changed.</summary>
    public int Changes { get; set; }

    public LocalDate Today => agency.Today(Zone);

    // ---- the way to an agreement ----

    public Verdict Create(ModelPlan plan) =>
        Exists ? Verdict.No("ALREADY_EXISTS") : !plan.IsValid ? Verdict.No("INVALID_ARGUMENT")
        : Verdict.Yes(
            () =>
            {
                Exists = true;
                Set(plan);
            },
            "engagement.created");

    public Verdict Update(ModelPlan plan) => In([Draft], () => !plan.IsValid ? Verdict.No("INVALID_ARGUMENT") : Verdict.Yes(() => Set(plan), "engagement.updated"));

    public Verdict Propose(Instant? expires, bool freesHolds) => In([Draft], () =>
    {
        var need = Client.NeedFor(Plan.Terms.Monthly(Plan.CycleMonths), Plan.Signatures, scope: false);
        return expires <= agency.Clock ? Verdict.No("INVALID_ARGUMENT")
            : !Client.CanMeet(need) ? Verdict.No("SIGN_OFF_UNREACHABLE")
            : Verdict.Yes(
                () =>
                {
                    (State, Revision, ExpiresAt, Need, FreesHolds) = (Proposed, Revision + 1, expires, need, freesHolds);
                    Void();
                },
                "engagement.proposed");
    });

    public Verdict Revise() => In([Proposed], () => Verdict.Yes(
        () =>
        {
            (State, ExpiresAt, FreesHolds) = (Draft, null, false);
            Void();
        },
        "engagement.revised"));

    public Verdict Sign(string person, string? by, int revision) =>
        State is Proposed or Accepted && Signatures.ContainsKey(person) && (revision == 0 || revision == Revision) ? Verdict.Nothing
        : In([Proposed], () =>
            Other(revision) ?? Unsigned(Need, person, by) ?? (Need.IsMetBy(Signatures.Keys.Append(person))
                ? Verdict.Yes(
                    () =>
                    {
                        Signatures[person] = by ?? person;
                        State = Accepted;
                    },
                    "engagement.signed", "engagement.accepted")
                : Verdict.Yes(() => Signatures[person] = by ?? person, "engagement.signed")));

    public Verdict Decline(string? person, string? by, int revision) => In([Proposed], () =>
        Other(revision) ?? (person is null ? null : Unsigned(new ModelNeed(1, [], []), person, by)) ?? Verdict.Yes(() => Close(Declined), "engagement.declined"));

    public Verdict Withdraw() => In([Draft, Proposed, Accepted], () => Verdict.Yes(() => Close(Withdrawn), "engagement.withdrawn"));

    public Verdict Comment(string? person) => In([Draft, Proposed, Accepted], () =>
        person is not null && !Client.Stakeholders.Contains(person) ? Verdict.No("NOT_FOUND") : Verdict.Yes(() => Comments++, "engagement.commented"));

    public Verdict RequestAgreement(string[] cmos, Instant? expires) => In([Proposed, Accepted], () =>
    {
        var asked = cmos.Length == 0 ? [.. Members.Where(m => !m.Waived).Select(m => m.Cmo)] : cmos.Distinct().ToArray();
        var open = asked.Where(c => !Agreements.Contains(c)).ToList();
        return expires <= agency.Clock ? Verdict.No("INVALID_ARGUMENT")
            : asked.Any(c => !IsMember(c)) ? Verdict.No("NOT_FOUND")
            : open.Count == 0 ? Verdict.Nothing
            : Verdict.Yes(() => open.ForEach(c => Asked[c] = (expires, AgreementAnswer.None)), open.Select(_ => "engagement.agreement-requested"));
    });

    public Verdict Agree(string cmo, int revision) => In([Proposed, Accepted], () =>
        !IsMember(cmo) ? Verdict.No("NOT_FOUND")
        : Other(revision) ?? (Agreements.Contains(cmo) ? Verdict.Nothing
            : Asked.TryGetValue(cmo, out var asked) && asked.Answer is AgreementAnswer.Declined or AgreementAnswer.Lapsed ? Verdict.No("AGREEMENT_CLOSED")
            : Verdict.Yes(
                () =>
                {
                    Agreements.Add(cmo);
                    Answer(cmo, AgreementAnswer.Agreed);
                },
                "engagement.cmo-agreed")));

    public Verdict DeclineAgreement(string cmo, int revision) => In([Proposed, Accepted], () =>
        !IsMember(cmo) ? Verdict.No("NOT_FOUND")
        : Other(revision) ?? (Asked.TryGetValue(cmo, out var asked) && asked.Answer == AgreementAnswer.Declined ? Verdict.Nothing
            : Verdict.Yes(
                () =>
                {
                    Agreements.Remove(cmo);
                    Answer(cmo, AgreementAnswer.Declined);
                },
                "engagement.cmo-declined")));

    public Verdict Activate(Guid request) => In([Accepted], () =>
        Members.Any(m => !m.Waived && !agency.Cmo(m.Cmo).Waives && !Agreements.Contains(m.Cmo)) ? Verdict.No("AGREEMENT_MISSING")
        : Start(
            request, "activate",
            [.. Members.Select(m => m.Hold is { } hold ? new ModelPart(PartForm.TakeOver, m.Cmo, hold, []) : new ModelPart(PartForm.Place, m.Cmo, BookingOf(m.Cmo), m.Steps))],
            ["engagement.activation-started"], ["engagement.activated"],
            () =>
            {
                (State, ExpiresAt) = (Active, null);
                foreach (var part in Saga!.Parts)
                {
                    Booked[part.Cmo] = new Standing(part.Booking, part.Steps);
                }
            },
            "engagement.activation-refused"));

    // ---- term ----

    public LocalDate? TermEnd => Plan.Term?.EndOf(Plan.Start, Renewals);

    public Verdict SignRenewal(string person, int number, string? by) => In([Active, Paused], () =>
    {
        var next = Renewals + 1;
        if (Plan.Term is not { Renewal: Renewal.BySignature } term || End is not null || (number != 0 && number != next)
            || (Renewals > 0 && Today < term.EndOf(Plan.Start, Renewals - 1)))
        {
            return Verdict.No("RENEWAL_NOT_OPEN");
        }

        if (RenewalSigned.Contains(person))
        {
            return Verdict.Nothing;
        }

        var need = RenewalNeed ?? Client.NeedFor(HighestMonthlyFrom(TermEnd!.Value), Plan.Signatures, scope: false);
        if (Unsigned(need, person, by) is { } refused)
        {
            return refused;
        }

        var met = need.IsMetBy(RenewalSigned.Append(person));
        return !Client.CanMeet(need) ? Verdict.No("SIGN_OFF_UNREACHABLE")
            : Verdict.Yes(
                () =>
                {
                    RenewalNeed = need;
                    RenewalSigned.Add(person);
                    if (met)
                    {
                        Renew();
                    }
                },
                met ? ["engagement.renewal-signed", "engagement.term-renewed"] : ["engagement.renewal-signed"]);
    });

    /// <summary>Ends it on a date: with a term whose notice is still in time, or whenever the notice is waived.</summary>
    public Verdict EndOn(LocalDate date, bool waived, Guid request) => EndsOn(date) ? Verdict.Nothing with { Apply = () => Outcomes[request] = null } : In([Active, Paused, Transitioning], () =>
        date <= Plan.Start || date > End ? Verdict.No("END_OUT_OF_RANGE")
        : !waived && State != Transitioning && Plan.Term is { } term && !MayEnd(term, date) ? Verdict.No("NOTICE_TOO_SHORT")
        : ApprovedFrom(date) ? Verdict.No("APPROVED_TIME_STANDS")
        : StartEnd(request, date, []));

    /// <summary>That is its end already: nothing changes.</summary>
    private bool EndsOn(LocalDate date) =>
        State is Active or Paused or Transitioning or Ended && Saga is null && End == date;

    private bool MayEnd(ModelTerm term, LocalDate date)
    {
        for (var renewals = Renewals; ; renewals++)
        {
            var end = term.EndOf(Plan.Start, renewals);
            if (term.Renewal != Renewal.Automatic || Today <= end.PlusDays(-term.NoticeDays))
            {
                // The earliest; under automatic renewal a later term's end will do as well.
                return date == end || (term.Renewal == Renewal.Automatic && date > end && Enumerable.Range(renewals, 200).Any(n => term.EndOf(Plan.Start, n) == date));
            }
        }
    }

    private Verdict StartEnd(Guid request, LocalDate date, string[] before) => Start(
        request, "end",
        [
            .. Booked.Select(b => new ModelPart(PartForm.Cut, b.Key, b.Value.Booking, b.Value.Steps.Before(date)) { CutAt = date }),
            .. CoversFrom(date).Select(c => new ModelPart(PartForm.Cut, c.Covering, CoverBookingOf(c.Id), []) { CutAt = date, Cover = c.Id }),
        ],
        [.. before, "engagement.end-started"], [date > Today ? "engagement.end-agreed" : "engagement.ended"],
        date > Today ? () => Agreed(date) : () => (State, End) = (Ended, date), null, (_, day) => day >= date);

    /// <summary>Agreed for a day to come: it goes on until then, and nothing is booked behind it.</summary>
    private void Agreed(LocalDate date)
    {
        End = date;
        foreach (var (cmo, standing) in Booked.ToList())
        {
            if (standing.Steps.Before(date) is { IsEmpty: false } left)
            {
                Booked[cmo] = standing with { Steps = left };
            }
            else
            {
                Booked.Remove(cmo);
            }
        }

        foreach (var (cmo, steps) in OpenPause?.Suspended.ToList() ?? [])
        {
            OpenPause!.Suspended[cmo] = steps.Before(date);
        }
    }

    private void Renew()
    {
        Renewals++;
        RenewalNeed = null;
        RenewalSigned.Clear();
    }

    // ---- what time alone does ----

    /// <summary>Whatever time does next, each with when; none while a move takes its steps.</summary>
    public IEnumerable<(Instant At, Verdict Does)> Due()
    {
        if (Saga is not null || !Exists)
        {
            yield break;
        }

        if (State is Proposed or Accepted)
        {
            if (ExpiresAt is { } expires)
            {
                yield return (expires, Verdict.Yes(() => Close(Expired), "engagement.expired"));
            }

            foreach (var asked in Asked.Where(a => a.Value is { Until: not null, Answer: AgreementAnswer.None } && !Agreements.Contains(a.Key)).GroupBy(a => a.Value.Until!.Value))
            {
                var lapsing = asked.Select(a => a.Key).ToList();
                yield return (asked.Key, Verdict.Yes(() => lapsing.ForEach(c => Answer(c, AgreementAnswer.Lapsed)), lapsing.Select(_ => "engagement.agreement-lapsed")));
            }
        }

        if (State is Active or Paused or Transitioning && (End ?? (State == Transitioning ? null : TermEnd)) is { } last)
        {
            yield return (agency.StartOf(Zone, last), End is null && Plan.Term!.Renewal == Renewal.Automatic
                ? Verdict.Yes(Renew, "engagement.term-renewed")
                : StartEnd(Guid.Empty, last, last == TermEnd ? ["engagement.term-ended"] : []));
        }

        foreach (var due in DueOfRunning().Concat(DueOfMeter()))
        {
            yield return due;
        }
    }

    // ---- shared ----

    private void Set(ModelPlan plan)
    {
        (Plan, End, Lead) = (plan, plan.End, plan.Members[0].Cmo);
        Members = [.. plan.Members];
        _agreed.Clear();
        _agreed[plan.Start] = plan.Terms;
    }

    /// <summary>What was signed and agreed counts for one revision.</summary>
    private void Void()
    {
        Signatures.Clear();
        Agreements.Clear();
        Asked.Clear();
    }

    private void Close(EngagementState state)
    {
        if (FreesHolds && State is Proposed or Accepted)
        {
            foreach (var member in Members.Where(m => m.Hold is not null))
            {
                ToFree[member.Cmo] = (member.Hold!, false);
            }
        }

        (State, ExpiresAt) = (state, null);
    }

    private void Answer(string cmo, AgreementAnswer answer) => Asked[cmo] = (Asked.GetValueOrDefault(cmo).Until, answer);

    private bool IsMember(string cmo) => Members.Any(m => m.Cmo == cmo);

    private Verdict? Other(int revision) => revision == 0 || revision == Revision ? null : Verdict.No("REVISION_CHANGED");

    private Verdict? Unsigned(ModelNeed need, string person, string? by) =>
        Client.Refuses(need, person, by, agency.Today(ModelAgency.AgencyZone)) is { } why ? Verdict.No(why) : null;

    private Verdict In(EngagementState[] states, Func<Verdict> decide) =>
        !Exists ? Verdict.No("NOT_FOUND") : Saga is not null ? Verdict.No("MOVE_UNDER_WAY") : !states.Contains(State) ? Verdict.No("MOVE_NOT_ALLOWED") : decide();

    private string BookingOf(string cmo) => $"{Id}-{cmo}";

    private string CoverBookingOf(string cover) => $"{Id}-cover-{cover}";
}
