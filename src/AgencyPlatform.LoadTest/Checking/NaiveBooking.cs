using System.Globalization;
using System.Text.Json;
using AgencyPlatform.Protocol.Capacity.V1;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>A hold or booking as the feed tells of it.</summary>
internal sealed record NaiveBooking(
    string Id, string Client, string Engagement, NaiveDemand Demand, bool Confirmed, Int128? ExpiresAt, string Owner, Int128 CreatedAt, Int128 UpdatedAt,
    long FenceVersion, IReadOnlySet<string> Names, IReadOnlySet<string> NamedBy)
{
    public IReadOnlyList<Step> Steps => Demand.Steps;
    public DateOnly Start => Steps[0].Start;
    public DateOnly? End => Steps[^1].End;

    public bool Covers(DateOnly day) => day >= Start && (End is not { } end || day < end);

    /// <summary>The same text for the same booking, from the feed or from the wire.</summary>
    public string Text => TextOf(Id, Client, Engagement, Steps, Confirmed, ExpiresAt, Owner, CreatedAt, UpdatedAt);

    public static string TextOf(Booking wire) => TextOf(
        Last(wire.Name), Last(wire.ClientCompany), Last(wire.Engagement), wire.Steps.Select(Step.From), wire.State == Booking.Types.State.Confirmed,
        wire.ExpireTime?.ToNanos(), Last(wire.Owner), wire.CreateTime.ToNanos(), wire.UpdateTime.ToNanos());

    public static string Last(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static string TextOf(
        string id, string client, string engagement, IEnumerable<Step> steps, bool confirmed, Int128? expires, string owner, Int128 created, Int128 updated) => string.Create(
        CultureInfo.InvariantCulture,
        $"{id} for {client} of '{engagement}' [{Step.TextOf(steps)}] {(confirmed ? "confirmed" : "held")} until {expires} owner '{owner}' made {created} changed {updated}");

    public static NaiveBooking New(JsonElement payload, bool confirmed)
    {
        var spec = payload.GetProperty("spec");
        var at = payload.Instant("at")!.Value;
        var fence = payload.GetProperty("fence");
        return new NaiveBooking(
            payload.Text("id"), spec.Text("client"), spec.Text("engagement"), new NaiveDemand(StepsOf(spec)), confirmed, payload.Instant("expiresAt"), payload.Text("owner"), at, at,
            fence.Long("version"), fence.Strings("names").ToHashSet(StringComparer.Ordinal), fence.Strings("namedBy").ToHashSet(StringComparer.Ordinal));
    }

    public static IReadOnlyList<Step> StepsOf(JsonElement spec) => [.. spec.GetProperty("steps").EnumerateArray().Select(Step.From)];
}
