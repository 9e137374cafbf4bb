using System.Collections.Frozen;
using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf;
using Grpc.Core;

namespace AgencyPlatform.LoadTest.Calls;

/// <summary>The services of one agency, as its own clients see them.</summary>
internal sealed class Api(AgencyPlatformClient platform)
{
    public AgencyPlatformClient Platform { get; } = platform;
    public CapacityService.CapacityServiceClient Capacity { get; } = platform.Service<CapacityService.CapacityServiceClient>();
    public CmosService.CmosServiceClient Cmos { get; } = platform.Service<CmosService.CmosServiceClient>();
    public ClientsService.ClientsServiceClient Clients { get; } = platform.Service<ClientsService.ClientsServiceClient>();
    public EngagementsService.EngagementsServiceClient Engagements { get; } = platform.Service<EngagementsService.EngagementsServiceClient>();
    public AgenciesService.AgenciesServiceClient Agencies => Platform.Agencies;
}

/// <summary>One method of the API that a load calls: how to send it, and how to read its messages back from the log.</summary>
/// <param name="Changes">Whether it changes something: then it carries a request id.</param>
internal sealed record ApiMethod(string Name, bool Changes, MessageParser Request, MessageParser Response, Func<Api, IMessage, CallOptions, Task<IMessage>> Send)
{
    private static readonly ApiMethod[] s_all =
    [
        Of<CheckBookingRequest, CheckBookingResponse>("Check", (a, r, o) => a.Capacity.CheckBookingAsync(r, o), changes: false),
        Of<HoldBookingRequest, Booking>("Hold", (a, r, o) => a.Capacity.HoldBookingAsync(r, o)),
        Of<BookRequest, Booking>("Book", (a, r, o) => a.Capacity.BookAsync(r, o)),
        Of<ConfirmBookingRequest, Booking>("Confirm", (a, r, o) => a.Capacity.ConfirmBookingAsync(r, o)),
        Of<ExtendHoldRequest, Booking>("Extend", (a, r, o) => a.Capacity.ExtendHoldAsync(r, o)),
        Of<ChangeBookingRequest, Booking>("Change", (a, r, o) => a.Capacity.ChangeBookingAsync(r, o)),
        Of<ReleaseBookingRequest, ReleaseBookingResponse>("Release", (a, r, o) => a.Capacity.ReleaseBookingAsync(r, o)),
        Of<AddTimeOffRequest, CmoChange>("AddTimeOff", (a, r, o) => a.Cmos.AddTimeOffAsync(r, o)),
        Of<CancelTimeOffRequest, CmoChange>("CancelTimeOff", (a, r, o) => a.Cmos.CancelTimeOffAsync(r, o)),
        Of<UpdateAgencyRequest, Agency>("UpdateAgency", (a, r, o) => a.Agencies.UpdateAgencyAsync(r, o)),
        Of<CreateEngagementRequest, Engagement>("CreateEngagement", (a, r, o) => a.Engagements.CreateEngagementAsync(r, o)),
        Of<ProposeEngagementRequest, Engagement>("Propose", (a, r, o) => a.Engagements.ProposeEngagementAsync(r, o)),
        Of<SignEngagementRequest, Engagement>("Sign", (a, r, o) => a.Engagements.SignEngagementAsync(r, o)),
        Of<ActivateEngagementRequest, Engagement>("Activate", (a, r, o) => a.Engagements.ActivateEngagementAsync(r, o)),
        Of<EndEngagementRequest, Engagement>("End", (a, r, o) => a.Engagements.EndEngagementAsync(r, o)),
        Of<LogTimeRequest, Timesheet>("Log", (a, r, o) => a.Platform.Time.LogTimeAsync(r, o)),
        Of<SubmitTimesheetRequest, Timesheet>("Submit", (a, r, o) => a.Platform.Time.SubmitTimesheetAsync(r, o)),
        Of<ApproveEntriesRequest, ApproveEntriesResponse>("Approve", (a, r, o) => a.Platform.Time.ApproveEntriesAsync(r, o)),
        Of<PreviewInvoiceRequest, Invoice>("Preview", (a, r, o) => a.Platform.Billing.PreviewInvoiceAsync(r, o), changes: false),
        Of<PrepareInvoiceRequest, Invoice>("Invoice", (a, r, o) => a.Platform.Billing.PrepareInvoiceAsync(r, o)),
        Of<FinalizeInvoiceRequest, Invoice>("Finalize", (a, r, o) => a.Platform.Billing.FinalizeInvoiceAsync(r, o)),
        Of<ListBookingsRequest, ListBookingsResponse>("ListBookings", (a, r, o) => a.Capacity.ListBookingsAsync(r, o), changes: false),
        Of<ListClientCompaniesRequest, ListClientCompaniesResponse>("ListClients", (a, r, o) => a.Clients.ListClientCompaniesAsync(r, o), changes: false),
        Of<GetAvailabilityRequest, GetAvailabilityResponse>("Availability", (a, r, o) => a.Capacity.GetAvailabilityAsync(r, o), changes: false),
        Of<GetTrialBalanceRequest, TrialBalance>("TrialBalance", (a, r, o) => a.Platform.Billing.GetTrialBalanceAsync(r, o), changes: false),
    ];

    private static readonly FrozenDictionary<string, ApiMethod> s_byName = s_all.ToFrozenDictionary(m => m.Name, StringComparer.Ordinal);
    private static readonly FrozenDictionary<string, ApiMethod> s_byRequest = s_all.ToFrozenDictionary(m => RequestName(m.Request), StringComparer.Ordinal);

    public static ApiMethod Named(string name) => s_byName[name];

    /// <summary>The method that takes this request.</summary>
    public static ApiMethod For(IMessage request) => s_byRequest[request.Descriptor.FullName];

    private static string RequestName(MessageParser parser) => parser.ParseFrom(ByteString.Empty) is IMessage message ? message.Descriptor.FullName : "";

    private static ApiMethod Of<TRequest, TResponse>(string name, Func<Api, TRequest, CallOptions, AsyncUnaryCall<TResponse>> send, bool changes = true)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        new(name, changes, new MessageParser<TRequest>(() => new TRequest()), new MessageParser<TResponse>(() => new TResponse()),
            async (api, request, options) => await send(api, (TRequest)request, options));
}
