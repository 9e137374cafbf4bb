using System.Collections.Immutable;
using AgencyPlatform.Domain.Clients;
using NodaTime;

namespace AgencyPlatform.Domain.Engagements;

/// <summary>What happens when a term is over.</summary>
public enum Renewal
{
    /// <summary>The engagement ends.</summary>
    None,

    /// <summary>The next term begins by itself, unless notice was given in time.</summary>
    Automatic,

    /// <summary>The engagement ends, unless the client's decision makers have signed the next term.</summary>
    BySignature,
}

/// <summary>For how long an engagement is agreed. A term's end is counted from the start, so that it never drifts. Source: domain §3.</summary>
/// <param name="InitialMonths">1–120.</param>
/// <param name="RenewalMonths">Length of every further term, 1–120; 0 without a renewal.</param>
/// <param name="NoticeDays">How long before a term's end notice must be given, 0–366; 0 unless the renewal is automatic.</param>
[GenerateSerializer, Immutable, Alias("engagement.term-rules")]
public sealed record TermRules(int InitialMonths, Renewal Renewal, int RenewalMonths, int NoticeDays)
{
    public const int MostMonths = 120;
    public const int MostNoticeDays = 366;

    /// <summary>The day after the term's last, with so many renewals.</summary>
    public LocalDate EndOf(LocalDate start, int renewals) => start.PlusMonths(InitialMonths + renewals * RenewalMonths);

    /// <summary>Every part that is wrong in itself, by path.</summary>
    /// <param name="path">Where the engagement stands in the request.</param>
    public IEnumerable<FieldViolation> Violations(string path, LocalDate start, LocalDate? end)
    {
        var hasEnd = InitialMonths is >= 1 and <= MostMonths;
        if (!hasEnd)
        {
            yield return new FieldViolation($"{path}.term.initial_months", $"must be 1 to {MostMonths}");
        }

        if (RenewalMonths < (Renewal == Renewal.None ? 0 : 1) || RenewalMonths > (Renewal == Renewal.None ? 0 : MostMonths))
        {
            yield return new FieldViolation($"{path}.term.renewal_months", Renewal == Renewal.None ? "must be 0 without a renewal" : $"must be 1 to {MostMonths}");
        }

        if (NoticeDays < 0 || NoticeDays > (Renewal == Renewal.Automatic ? MostNoticeDays : 0))
        {
            yield return new FieldViolation($"{path}.term.notice_days", Renewal == Renewal.Automatic ? $"must be 0 to {MostNoticeDays}" : "must be 0 unless the renewal is automatic: the term's end needs no notice");
        }

        // Where the term ends, only a length that can be says.
        if (Renewal == Renewal.None ? hasEnd && end != EndOf(start, 0) : end is not null)
        {
            yield return new FieldViolation($"{path}.end_date", Renewal == Renewal.None ? $"must be the term's end, {EndOf(start, 0):uuuu-MM-dd}" : "must not be set: a term that is renewed has no end yet");
        }
    }
}

/// <summary>How far the term of an engagement has come.</summary>
/// <param name="Renewals">How many further terms are agreed.</param>
/// <param name="Need">Who must sign the next one; null before the first signature.</param>
/// <param name="Signatures">For the next one.</param>
[GenerateSerializer, Immutable, Alias("engagement.term")]
public sealed record EngagementTerm(int Renewals, SignOffNeed? Need, ImmutableArray<Signature> Signatures)
{
    public static EngagementTerm Initial { get; } = new(0, null, []);
}

// ---- commands ----

/// <param name="Number">Which renewal, from 1; 0: the next.</param>
/// <param name="By">The delegate who signs in the decision maker's place; null: they themselves.</param>
[GenerateSerializer, Immutable, Alias("engagement.sign-renewal")]
public sealed record SignRenewal(PersonId Person, int Number, PersonId? By);

// ---- events ----

/// <param name="Number">Which renewal it is for.</param>
/// <param name="Need">Who must sign it, by the client's rule when the first one signed.</param>
[Event("engagement.renewal-signed"), GenerateSerializer, Immutable, Alias("engagement.renewal-signed")]
public sealed record RenewalSigned(PersonId Person, PersonId? By, int Number, Instant At, long ClientVersion, SignOffNeed Need) : IEvent;

/// <summary>A further term is agreed: by signature ahead of it, or by time alone as it begins.</summary>
[Event("engagement.term-renewed"), GenerateSerializer, Immutable, Alias("engagement.term-renewed")]
public sealed record TermRenewed(int Number, LocalDate Start, LocalDate End, Renewal How) : IEvent;

/// <summary>The term is over and was not renewed: the engagement is ended next.</summary>
[Event("engagement.term-ended"), GenerateSerializer, Immutable, Alias("engagement.term-ended")]
public sealed record TermEnded(LocalDate End) : IEvent;

// ---- what falls due ----

/// <summary>What of an engagement falls due on a date.</summary>
public enum DueKind
{
    /// <summary>The proposal lapses.</summary>
    ProposalExpires,

    /// <summary>A CMO's answer is due.</summary>
    AgreementExpires,

    /// <summary>The last day on which notice ends it with the current term.</summary>
    LastNotice,

    /// <summary>The next term begins by itself.</summary>
    Renewal,

    /// <summary>It ends, unless the next term is signed by then.</summary>
    RenewalToSign,

    /// <summary>The first day that is no longer served.</summary>
    End,

    /// <summary>A proposed or accepted change of scope lapses.</summary>
    ScopeChangeExpires,

    /// <summary>The last step of a taper begins, and no end is set.</summary>
    TaperEnds,
}

[GenerateSerializer, Immutable, Alias("engagement.due")]
public readonly record struct DueDate([property: Id(0)] LocalDate Date, [property: Id(1)] DueKind Kind);

/// <summary>What falls due, in order of date.</summary>
[RowTable("engagement_due", nameof(Date), nameof(Kind), nameof(Id))]
public sealed record EngagementDueRow(LocalDate Date, DueKind Kind, EngagementId Id, ClientCompanyId Client) : IRow;
