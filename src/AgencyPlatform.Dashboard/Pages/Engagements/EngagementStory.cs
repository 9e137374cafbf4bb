using System.Globalization;
using AgencyPlatform.Dashboard.Shared;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Events.V1;
using Google.Protobuf.WellKnownTypes;

namespace AgencyPlatform.Dashboard.Pages.Engagements;

/// <summary>Events of an engagement, in sentences.</summary>
internal static class EngagementStory
{
    /// <summary>What happened; null: a step of something that is told by its end, or nothing but bookkeeping.</summary>
    public static string? Of(Event e, Names names, ClientCompany? client)
    {
        var fields = e.Payload?.Fields ?? [];
        switch (e.Type["engagement.".Length..])
        {
            case "created":
                return "Written as a draft";
            case "updated":
                return "The draft was changed";
            case "proposed":
                return $"Proposed, as revision {Number("revision")}{(Text("expiresAt") is { Length: > 0 } until ? $", until {Moment(until)}" : "")}";
            case "revised":
                return $"Revision {Number("revision")} was taken back into a draft";
            case "signed":
                return $"{Person("person")} signed revision {Number("revision")}{(Text("by").Length > 0 ? $", by {Person("by")}" : "")}";
            case "accepted":
                return "Signed by as many as needed: accepted";
            case "agreement-requested":
                return $"{Cmo("cmo")} was asked to agree";
            case "cmo-agreed":
                return $"{Cmo("cmo")} agreed";
            case "cmo-declined":
                return Because($"{Cmo("cmo")} declined", Text("reason"));
            case "agreement-lapsed":
                return $"{Cmo("cmo")} did not answer in time";
            case "declined":
                return Because("The client declined", Text("reason"));
            case "withdrawn":
                return Because("Withdrawn by the agency", Text("reason"));
            case "expired":
                return "The proposal lapsed";
            case "commented":
                return $"{(Text("person").Length > 0 ? Person("person") : "The agency")} said: {Text("text")}";
            case "activated":
                return $"Active, from {Date("effectiveFrom")} on";
            case "activation-refused":
                return Because("The activation was refused", Part("rejection", "message"));
            case "move-refused":
                return Because("A move was refused", Part("rejection", "message"));
            case "paused":
                return Because($"Paused from {Date("from")} on", Text("reason"));
            case "kept-capacity-freed":
                return "The capacity that the pause kept was freed";
            case "resumed":
                return $"Resumed on {Date("on")}";
            case "end-agreed":
                return $"It is agreed that it ends on {DayBefore("end")}";
            case "ended":
                return $"Ended; the last day was {DayBefore("end")}";
            case "term-renewed":
                return $"Renewed, from {Date("start")} to {DayBefore("end")}";
            case "renewal-signed":
                return $"{Person("person")} signed the next term";
            case "term-ended":
                return "The term is over";
            case "scope-proposed":
                return Because($"Change of scope {Number("number")} proposed, from {Day(Part("proposal", "from"))} on", Part("proposal", "note"));
            case "scope-signed":
                return $"{Person("person")} signed change of scope {Number("number")}";
            case "scope-accepted":
                return $"Change of scope {Number("number")} is signed by as many as needed";
            case "scope-agreed":
                return $"{Cmo("cmo")} agreed to change of scope {Number("number")}";
            case "scope-closed":
                return Because($"Change of scope {Number("number")}: {Text("state").ToLowerInvariant()}", Text("reason"));
            case "scope-changed":
                return $"Change of scope {Number("number")} applied";
            case "cover-requested":
                return Because($"{Cmo("covering")} was asked to cover for {Cmo("away")}", Text("reason"));
            case "cover-consented":
                return $"{Person("person")} consented to the cover {Text("id")}";
            case "cover-agreed":
                return $"The CMO agreed to the cover {Text("id")}";
            case "cover-declined":
                return Because($"The cover {Text("id")} was declined", Text("reason"));
            case "cover-booked":
                return $"The cover {Text("id")} is booked";
            case "cover-cancelled":
                return $"The cover {Text("id")} was cancelled from {Date("from")} on";
            case "cover-ended":
                return $"The cover {Text("id")} was cut off";
            case "transition-started":
                return "It tapers off to an in-house hire";
            case "handover-item-put":
                return $"{(Part("item", "doneBy").Length == 0 ? "To hand over" : "Handed over")}: {Part("item", "title")}";
            case "milestone-reached":
                return $"Milestone reached: {Part("milestone", "name")}";
            case "milestone-reopened":
                return Because($"Milestone {Text("milestone")} was reopened", Text("reason"));
            case "block-sold":
                return $"A block of {MinutesOf("block").Hours()} was sold";
            case "period-opened":
                return $"The period from {Date("start")} to {DayBefore("end")} began, with {Number("included").Hours()} included";
            case "minutes-carried":
                return $"{MinutesOf("grant").Hours()} were carried on";
            case "grant-expired":
                return $"{Number("left").Hours()} were left unused";
            case "threshold-reached":
                return $"{Number("percent")} % of the period's hours are used ({Number("drawn").Hours()} of {Number("drawable").Hours()})";
            case "meter-exhausted":
                return "The period's hours are used up";
            case "overage-consented":
                return Because($"The client consented to {Number("minutes").Hours()} of overage", Text("note"));
            case "parked-served":
                return "Hours that waited for consent were covered by what was added";
            case "time-reversed":
                return Because("Approved time was reversed", Text("reason"));
            case "time-disputed":
                return $"The entry {Text("entry")} is disputed";
            case "time-dispute-ended":
                return $"The dispute of {Text("entry")} is over";
            case "opening-grants-imported":
                return "Open hours were imported";
            default:
                return null;
        }

        string Text(string field) => fields.GetValueOrDefault(field)?.StringValue ?? "";
        int Number(string field) => (int)(fields.GetValueOrDefault(field)?.NumberValue ?? 0);
        string Cmo(string field) => names.Cmo(Text(field));
        string Person(string field) => client?.Stakeholders.FirstOrDefault(s => s.PersonId == Text(field))?.DisplayName ?? Text(field);
        string Date(string field) => Day(Text(field));
        string DayBefore(string field) => Text(field).ToDateOnly()?.AddDays(-1).ToString("d MMM yyyy", CultureInfo.InvariantCulture) ?? "";
        string Part(string field, string part) => Of(field, part)?.StringValue ?? "";
        int MinutesOf(string field) => (int)(Of(field, "minutes")?.NumberValue ?? 0);
        Value? Of(string field, string part) => fields.GetValueOrDefault(field) is { KindCase: Value.KindOneofCase.StructValue } value ? value.StructValue.Fields.GetValueOrDefault(part) : null;
    }

    private static string Because(string what, string? why) => string.IsNullOrEmpty(why) ? what : $"{what}: {why}";

    private static string Day(string? text) => text.ToDateOnly()?.ToString("d MMM yyyy", CultureInfo.InvariantCulture) ?? "";

    private static string Moment(string text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var at) ? at.ToString("d MMM yyyy", CultureInfo.InvariantCulture) : text;

    private static Value? GetValueOrDefault(this IDictionary<string, Value> fields, string key) => fields.TryGetValue(key, out var value) ? value : null;
}
