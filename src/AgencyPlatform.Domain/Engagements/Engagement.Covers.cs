using System.Collections.Immutable;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>Cover: while a CMO is away another takes named dates, with the client's consent and the covering CMO's agreement. Source: domain §3.</summary>
public sealed partial record Engagement
{
    /// <summary>Asks the client for consent and the covering CMO for agreement. The same request again changes nothing.</summary>
    public Decision RequestCover(RequestCover command) => In("request cover", [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning], () =>
    {
        var cover = new Cover(
            command.Id, command.Away, command.Covering, command.Minutes, command.AgreementWaived, command.Reason, CoverState.Requested, null, null, null, "");
        if (Running.Covers.TryGetValue(command.Id, out var known))
        {
            return (known.Away, known.Covering, known.Reason) == (cover.Away, cover.Covering, cover.Reason) && known.Minutes.SequenceEqual(cover.Minutes)
                ? Decision.Nothing
                : Rejection.AlreadyExists("cover", command.Id.Value);
        }

        var wrong = ImmutableArray.CreateBuilder<FieldViolation>();
        Check(Running.Covers.Count < EngagementRunning.MostCovers, "cover.cover_id", $"must be at most {EngagementRunning.MostCovers} covers over time");
        Check(command.Covering != command.Away, "cover.covering_cmo", "must be another CMO than the one who is away");
        Check(command.Minutes.Count is >= 1 and <= Cover.MostDates, "cover.dates", $"must be 1 to {Cover.MostDates} dates");
        foreach (var (date, minutes) in command.Minutes)
        {
            Check(minutes is >= 1 and <= 1440, "cover.dates", $"must be 1 to 1,440 minutes a date; on {Text(date)} they are {Text(minutes)}");
        }

        if (wrong.Count > 0)
        {
            return Rejection.Invalid(wrong.ToArray());
        }

        return command.Minutes.Keys.Select(date => RefuseTime(command.Away, date)).FirstOrDefault(r => r is not null) is { } refusal
            ? refusal
            : Decision.Accept(new CoverRequested(command.Id, command.Away, command.Covering, command.Minutes, command.AgreementWaived, command.Reason));

        void Check(bool right, string field, string rule)
        {
            if (!right)
            {
                wrong.Add(new FieldViolation(field, rule));
            }
        }
    });

    /// <summary>A decision maker of the client consents; again: nothing changes.</summary>
    public Decision ConsentToCover(ConsentToCover command, DecisionMakers client, Instant now) => OfCover("consent to cover", command.Id, [CoverState.Requested], cover =>
        cover.ConsentOf is not null ? Decision.Nothing
        : SignOff.Refuse(Clients.SignOffNeed.Any(1), client, Client, command.Person, command.By, now) is { } refused ? refused
        : Decision.Accept(new CoverConsented(command.Id, command.Person, now, client.Version)));

    public Decision AgreeToCover(AgreeToCover command, Instant now) => OfCover("agree to cover", command.Id, [CoverState.Requested], cover =>
        command.Cmo != cover.Covering ? Rejection.NotFound("cover", command.Id.Value)
        : cover.AgreedAt is not null ? Decision.Nothing
        : Decision.Accept(new CoverAgreed(command.Id, now)));

    public Decision DeclineCover(DeclineCover command) =>
        OfCover("decline cover", command.Id, [CoverState.Requested], _ => Decision.Accept(new CoverDeclined(command.Id, command.Reason)));

    /// <summary>Books the covering CMO on the dates, or refuses.</summary>
    /// <param name="waiving">The CMOs whose own terms waive their agreement.</param>
    public Decision BookCover(BookCover command, ImmutableArray<CmoId> waiving, Guid request, Instant now) => In("book cover", [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning], () =>
        OfCover("book cover", command.Id, [CoverState.Requested], cover =>
            cover.ConsentOf is null ? Rejection.Rule(
                Reasons.ConsentMissing, $"The client has not consented to the cover '{cover.Id}' yet. Record its consent first.", ("cover", cover.Id.Value), ("client", Client.Value))
            : cover is { AgreedAt: null, AgreementWaived: false } && !waiving.Contains(cover.Covering) ? Rejection.Rule(
                Reasons.AgreementMissing, $"Not agreed yet: {cover.Covering}. Record their agreement first.", ("cmos", cover.Covering.Value))
            : cover.Minutes.Keys.Select(date => RefuseTime(cover.Away, date)).FirstOrDefault(r => r is not null) is { } refusal ? refusal
            : StartMove(
                [new Rebooking(cover.Covering, BookingOf(cover.Id), RebookingForm.Place, cover.Steps(), Cover: cover.Id)], new CoverBooked(request, cover.Id), now)));

    /// <summary>The covering CMO is freed from a date on.</summary>
    public Decision CancelCover(CancelCover command, Guid request, Instant now) => In("cancel cover", [EngagementState.Active, EngagementState.Paused, EngagementState.Transitioning], () =>
        OfCover("cancel cover", command.Id, [CoverState.Booked], cover =>
            cover.Minutes.Keys.Last() < command.From ? Rejection.Invalid(new FieldViolation("start_date", $"must be on or before the last covered date {Text(cover.Minutes.Keys.Last())}"))
            : ApprovedTimeFrom(command.From, cover.Covering) ?? StartMove([CutAt(cover, command.From)], new CoverCancelled(request, cover.Id, command.From), now)));

    /// <summary>The id of a cover's booking: always the same, so that a repeat finds it.</summary>
    private BookingId BookingOf(CoverId cover)
    {
        var id = $"{Id}-cover-{cover}";
        return new BookingId(IdSyntax.Fitting(id));
    }

    /// <summary>Covers that are booked on or after a date.</summary>
    private IEnumerable<Cover> CoversFrom(LocalDate date) => Running.Covers.Values.Where(c => c.Booking is not null && c.Minutes.Keys.Last() >= date);

    private static Rebooking CutAt(Cover cover, LocalDate date) =>
        new(cover.Covering, cover.Booking!.Value, RebookingForm.Cut, cover.CutAt(date) is { Booking: not null } left ? left.Steps() : [], CutAt: date, Cover: cover.Id);

    private Decision OfCover(string move, CoverId id, ImmutableArray<CoverState> states, Func<Cover, Decision> decide) =>
        !Exists ? Rejection.NotFound(Kind, Id.Value ?? "")
        : Saga is not null ? UnderWay
        : !Running.Covers.TryGetValue(id, out var cover) ? Rejection.NotFound("cover", id.Value)
        : !states.Contains(cover.State) ? Rejection.Rule(
            Reasons.MoveNotAllowed,
            $"The move '{move}' is not allowed when the cover is {cover.State.ToString().ToUpperInvariant()}, only {string.Join(", ", states.Select(s => s.ToString().ToUpperInvariant()))}.",
            ("move", move), ("state", cover.State.ToString().ToUpperInvariant()), ("allowed_states", string.Join(",", states.Select(s => s.ToString().ToUpperInvariant()))))
        : decide(cover);

    private Engagement WithCover(CoverId id, Func<Cover, Cover> changed) =>
        this with { Running = Running with { Covers = Running.Covers.SetItem(id, changed(Running.Covers[id])) } };
}
