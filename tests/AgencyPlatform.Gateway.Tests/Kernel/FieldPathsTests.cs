using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Absences;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Tests.Engagements;
using AgencyPlatform.Domain.Time;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using NodaTime;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>Every field that a refusal names is a field of the request that was sent, by its path.</summary>
[Collection(PlatformFixture.Collection)]
public sealed partial class FieldPathsTests(PlatformFixture platform)
{
    private static readonly Instant s_now = Instant.FromUtc(2026, 3, 2, 9, 0);

    public static TheoryData<string> Rpcs => TwoAgenciesTests.RpcsThatName;

    /// <summary>Two requests for each RPC, made from its descriptor, in which everything is wrong: with the first form of each choice, and with the last.</summary>
    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Of_a_request_in_which_everything_is_wrong(string rpc)
    {
        var method = ProtocolFiles.Services.SelectMany(s => s.Methods).Single(m => m.FullName == rpc);
        var agency = await platform.NewAgency();
        var client = RpcRoles.Table[$"{method.Service.FullName}/{method.Name}"].Contains(Domain.Agencies.Role.AgencyAdmin) ? await agency.Admin() : platform.Operator;
        foreach (var last in new[] { false, true })
        {
            var request = Wrong(method.InputType, last);
            var error = await TwoAgenciesTests.Error(client, method, request);
            Assert.Equal(StatusCode.InvalidArgument, error?.StatusCode);
            Assert.NotEmpty(error!.FieldViolations);
            Assert.All(error.FieldViolations, v => AssertField(method.InputType, v.Field));
        }
    }

    /// <summary>What only the domain finds, since it depends on how things stand.</summary>
    [Fact]
    public void Of_what_the_domain_refuses()
    {
        var (active, day) = (RunningEngagement.Active(), new LocalDate(2026, 6, 1));
        var cover = new RequestCover(new("c"), RunningEngagement.Ada, RunningEngagement.Ada, ImmutableSortedDictionary<LocalDate, int>.Empty.Add(day, 1_441), false, "");
        var (bad, terms) = (Steps(day), new HourlyTerms(day.PlusDays(1), new("main"), new Currency("USD"), new BillCycle(1, 1), 0));
        var plan = active.Plan with { Lead = new("x"), End = active.Plan.Start, BillingStartsOn = day.PlusYears(9), SignaturesNeeded = 0, Terms = terms, Term = new TermRules(1, Renewal.None, 1, 1) };
        plan = plan with { Members = [new(RunningEngagement.Ada, "", bad, null, false), new(RunningEngagement.Ada, "", bad, new("h"), false)] };
        var scope = new ScopeProposal(day, new("x"), [new(RunningEngagement.Ada, "", bad, false), new(new("y"), "", [], false), new(new("y"), "", bad, false)], terms, "");
        var taper = new StartTransition([new(day, -1), new(day, 101)], [new(new("i"), "", null, null), new(new("i"), "", null, null)], "");
        var many = new StartTransition([.. Enumerable.Range(0, Transition.MostSteps + 1).Select(i => new TaperStep(day.PlusDays(i), 0))], [.. Enumerable.Range(0, 101).Select(i => new HandoverItem(new($"i{i}"), "", null, null))], "");
        var work = new Work(null, day, 0, new string('c', 101), true, true, new string('n', 2_001));
        var invoice = new Invoice(new("i"), InvoiceState.Finalized, new InvoiceContent(DocumentKind.Invoice, day, new("", "", "", ""), new("", "", "", ""), 0, [], [], 0, 0, 9), s_now, s_now, null, 1, day, day);
        var (of, account) = (new AccountId(new("c"), new("e"), new Currency("USD")), BillingAccount.Initial with { Standing = [invoice] });
        RecordPayment Pay(LocalDate received, params Allocation[] allocations) => new(of, new("p"), 1, received, "r", [.. allocations]);
        var (usd, days) = (new Money(0, new Currency("USD")), new DateRange(day, day));
        var books = new OpenBooks(
            [new(new("x"), "1", day.PlusDays(9), day, usd, new Money(-1, new Currency("EUR")), usd)], [new(new("x"), usd), new(new("x"), usd)], [new(new("x"), usd, days), new(new("x"), usd, days)],
            [new(new("x"), GrantOrigin.Carried, -1, day, usd), new(new("x"), GrantOrigin.Carried, -1, day, usd)], [new(new("x"), usd), new(new("x"), usd)], [new(new("x"), 0), new(new("x"), 0)]);
        var facts = new OpenBooksFacts("UTC", [], [], ImmutableDictionary<EngagementId, EngagementAtCutOver>.Empty, ["1"], ImmutableDictionary<InvoiceSeriesId, (SeriesFormat, long, int)>.Empty,
            ImmutableDictionary<InvoiceSeriesId, string>.Empty.Add(new("x"), "no"));
        var import = new ImportOpenBooks(new("i"), new("e"), new Currency("USD"), day, books);
        var expired = new ApiKey(new("k"), "", "", [Domain.Agencies.Role.Finance], null, null, s_now, s_now, false);

        var refused = new (Decision Decision, MessageDescriptor Request)[]
        {
            (active.RequestCover(cover), Protocol.Engagements.V1.RequestCoverRequest.Descriptor),
            (active.RequestCover(cover with { Minutes = ImmutableSortedDictionary<LocalDate, int>.Empty }), Protocol.Engagements.V1.RequestCoverRequest.Descriptor),
            (active.StartTransition(taper, [], Guid.Empty, s_now), Protocol.Engagements.V1.StartTransitionRequest.Descriptor),
            (active.StartTransition(many, [], Guid.Empty, s_now), Protocol.Engagements.V1.StartTransitionRequest.Descriptor),
            (active.ProposeScope(new(scope, null), [], RunningEngagement.Deciders, s_now), Protocol.Engagements.V1.ProposeScopeChangeRequest.Descriptor),
            (active.ProposeScope(new(new ScopeProposal(day, null, [], null, ""), null), [], RunningEngagement.Deciders, s_now), Protocol.Engagements.V1.ProposeScopeChangeRequest.Descriptor),
            (active.ProposeScope(new(scope with { Lead = null, Members = [], Terms = terms with { EffectiveFrom = day } }, s_now), [], RunningEngagement.Deciders, s_now), Protocol.Engagements.V1.ProposeScopeChangeRequest.Descriptor),
            (active.Pause(new(day, day, 0, ""), [], Guid.Empty, s_now), Protocol.Engagements.V1.PauseEngagementRequest.Descriptor),
            (Engagement.Initial.Create(new(new("e"), new("c"), plan)), Protocol.Engagements.V1.CreateEngagementRequest.Descriptor),
            ((active with { State = EngagementState.Draft }).Update(new(plan with { Term = new TermRules(1, Renewal.Automatic, 0, 999) })), Protocol.Engagements.V1.UpdateEngagementRequest.Descriptor),
            ((active with { State = EngagementState.Draft }).Update(new(plan with { Term = new TermRules(0, Renewal.None, 0, 0), Members = [] })), Protocol.Engagements.V1.UpdateEngagementRequest.Descriptor),
            ((active with { State = EngagementState.Draft }).Propose(new(s_now), RunningEngagement.Deciders, s_now), Protocol.Engagements.V1.ProposeEngagementRequest.Descriptor),
            ((active with { State = EngagementState.Proposed }).AskToAgree(new([], s_now), s_now), Protocol.Engagements.V1.RequestAgreementRequest.Descriptor),
            (Timesheet.Initial.Log(new(RunningEngagement.Ada, new IsoWeek(2026, 1), [new(new("a"), work), new(new("a"), work)]), "UTC", s_now), Protocol.Time.V1.LogTimeRequest.Descriptor),
            (Timesheet.Initial.Log(new(RunningEngagement.Ada, new IsoWeek(2026, 1), []), "UTC", s_now), Protocol.Time.V1.LogTimeRequest.Descriptor),
            (Timesheet.Initial.Reject(new([], "")), Protocol.Time.V1.RejectEntriesRequest.Descriptor),
            (Timesheet.Initial.Reverse(new([], ""), Guid.Empty, "", s_now), Protocol.Time.V1.ReverseEntriesRequest.Descriptor),
            (Timesheet.Initial.Dispute(new(new("a"), "", true), new(1, "UTC"), Guid.Empty, "", s_now), Protocol.Time.V1.DisputeTimeEntryRequest.Descriptor),
            (Timesheet.Initial.Resolve(new(new("a"), DisputeResolution.Restored, ""), Guid.Empty, "", s_now), Protocol.Time.V1.ResolveDisputeRequest.Descriptor),
            (Absence.Initial.Report(new(new("a"), RunningEngagement.Ada, new DateRange(day, day), ""), Guid.Empty, s_now), Protocol.Absences.V1.CreateAbsenceRequest.Descriptor),
            (Rejection.Invalid(new BookingSpec(new("c"), null, bad).Violations("booking.steps").AsSpan()), Protocol.Capacity.V1.BookRequest.Descriptor),
            (Rejection.Invalid(new BookingSpec(new("c"), null, []).Violations().AsSpan()), Protocol.Capacity.V1.ChangeBookingRequest.Descriptor),
            (account.Record(Pay(day.PlusYears(9)), "UTC", s_now), Protocol.Billing.V1.RecordPaymentRequest.Descriptor),
            (account.Record(Pay(s_now.InUtc().Date, new(invoice.Id, 1), new(invoice.Id, 1)), "UTC", s_now), Protocol.Billing.V1.RecordPaymentRequest.Descriptor),
            (account.Record(Pay(s_now.InUtc().Date, new Allocation(invoice.Id, 2)), "UTC", s_now), Protocol.Billing.V1.RecordPaymentRequest.Descriptor),
            (account.CreditByHand(new(invoice.Id, new("n"), [new(1, null)], false), new("s"), s_now), Protocol.Billing.V1.CreditInvoiceRequest.Descriptor),
            (InvoiceSeries.Initial.Confirm(new(new("e"), new("s"), 1, 2099), new SeriesFormat("S{year}-", 4, true), "UTC", Guid.Empty, false, [], s_now), Protocol.Billing.V1.ConfirmInvoiceSeriesRequest.Descriptor),
            (InvoiceSeries.Initial.Confirm(new(new("e"), new("s"), 1, 2026), SeriesFormat.Default(new("s")), "UTC", Guid.Empty, false, [], s_now), Protocol.Billing.V1.ConfirmInvoiceSeriesRequest.Descriptor),
            (Rejection.Invalid(new SeriesFormat("S2", 0, true).Violations("settings").ToArray()), Protocol.Billing.V1.SetInvoiceSeriesSettingsRequest.Descriptor),
            (account.Unexplained(invoice.Id, 9)!, Protocol.Billing.V1.ExplainInvoiceLineRequest.Descriptor),
            (account.MarkSent(new(invoice.Id, "email", s_now.Plus(Duration.FromDays(1))), s_now), Protocol.Billing.V1.MarkInvoiceSentRequest.Descriptor),
            (OpenBooksImport.Initial.Start(import, facts, s_now), Protocol.Billing.V1.ImportOpenBooksRequest.Descriptor),
            (OpenBooksImport.Initial.Start(import with { Books = OpenBooks.Empty }, facts, s_now), Protocol.Billing.V1.ImportOpenBooksRequest.Descriptor),
            ((Agency.Initial with { Id = new("a"), Version = 1 }).CreateApiKey(new(expired, s_now)), Protocol.Agencies.V1.CreateApiKeyRequest.Descriptor),
        };
        Assert.All(refused, r =>
        {
            Assert.Equal((RejectionKind.Invalid, true), (r.Decision.Rejection?.Kind, r.Decision.Rejection?.Fields.Length > 0));
            Assert.All(r.Decision.Rejection!.Fields, v => AssertField(r.Request, v.Field));
        });
    }

    /// <summary>One bad step of each form.</summary>
    private static ImmutableArray<BookingStep> Steps(LocalDate day) =>
    [
        new FlexibleStep(new DateRange(day, null), 0),
        new FixedDaysStep(new DateRange(day, day), new WeekdayMinutes(-1, 0, 0, 0, 0, 0, 1_441), 9),
        new FixedDaysStep(new DateRange(day, null), new WeekdayMinutes(0, 0, 0, 0, 0, 0, 0), 1),
        new DatedStep(new DateRange(day, null), ImmutableSortedDictionary<LocalDate, int>.Empty),
        new DatedStep(new DateRange(day, null), ImmutableSortedDictionary<LocalDate, int>.Empty.Add(day.PlusDays(-1), 0)),
        new PerPeriodStep(new DateRange(day, null), 0, new BillCycle(32, 2)),
    ];

    private static void AssertField(MessageDescriptor request, string path)
    {
        var message = request;
        var parts = path.Split('.');
        for (var i = 0; i < parts.Length; i++)
        {
            var part = Part().Match(parts[i]);
            Assert.True(part.Success, $"{request.Name}: {path}");
            var field = message?.FindFieldByName(part.Groups[1].Value);
            Assert.True(field is not null, $"{request.Name} has no {path}");
            Assert.True(!part.Groups[2].Success || (part.Groups[2].Value[1] == '\'' ? field.IsMap : field.IsRepeated && !field.IsMap), $"{request.Name}: {path} counts what is no list");
            Assert.True(i == parts.Length - 1 || part.Groups[2].Success || !field.IsRepeated, $"{request.Name}: {path} does not say which");
            message = field.FieldType == FieldType.Message && !field.IsMap ? field.MessageType : null;
        }
    }

    /// <summary>A name, and the place where it is a list, or the key where it is a map.</summary>
    [GeneratedRegex(@"^([a-z_0-9]+)(\[\d+\]|\['[^']*'\])?$")]
    private static partial Regex Part();

    private static IMessage Wrong(MessageDescriptor type, bool last, int depth = 0)
    {
        var message = (IMessage)Activator.CreateInstance(type.ClrType)!;
        foreach (var field in type.Fields.InFieldNumberOrder())
        {
            if (field.ContainingOneof is { IsSynthetic: false } choice && field != (last ? choice.Fields[^1] : choice.Fields[0]))
            {
                continue;
            }

            if (field.IsMap)
            {
                ((System.Collections.IDictionary)field.Accessor.GetValue(message)).Add("No!", "");
            }
            else if (field.IsRepeated)
            {
                ((System.Collections.IList)field.Accessor.GetValue(message)).Add(Value(field));
            }
            else if (Value(field) is { } value)
            {
                field.Accessor.SetValue(message, value);
            }
        }

        return message;

        object? Value(FieldDescriptor field) => field.FieldType switch
        {
            FieldType.String => "No!",
            FieldType.Int32 => -1,
            FieldType.Int64 => -1L,
            FieldType.Bool => false,
            FieldType.Bytes => ByteString.Empty,
            FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, 99),
            FieldType.Message => field.MessageType.FullName switch
            {
                "google.type.Date" => new Google.Type.Date { Year = 2026, Month = 13, Day = 40 },
                "google.protobuf.Timestamp" => new Google.Protobuf.WellKnownTypes.Timestamp { Seconds = -1, Nanos = -1 },
                "google.protobuf.Duration" => new Google.Protobuf.WellKnownTypes.Duration { Seconds = -1 },
                "google.protobuf.FieldMask" => new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "none" } },
                _ => depth < 8 ? Wrong(field.MessageType, last, depth + 1) : null,
            },
            var other => throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{field.FullName} is a {other}: say what is wrong of it.")),
        };
    }
}
