using System.Collections.Frozen;
using AgencyPlatform.Domain.Agencies;
using static AgencyPlatform.Domain.Agencies.Role;

namespace AgencyPlatform.Gateway;

/// <summary>
/// The one table of RPC × role. What is not in it is denied; a test fails for an RPC that is missing.
/// A role that is bound to a CMO or client company is further narrowed in the service, by <see cref="Caller.EnsureCmo"/> and <see cref="Caller.EnsureClient"/>.
/// </summary>
public static class RpcRoles
{
    /// <summary>No key needed: health and reflection tell nothing of anybody.</summary>
    private static readonly Role[] s_anyone = [];

    private static readonly Role[] s_everybodyOfTheAgency = [AgencyAdmin, Operations, Finance, Cmo, ClientApprover, ClientViewer, Service];
    private static readonly Role[] s_staff = [AgencyAdmin, Operations, Finance, Service];
    private static readonly Role[] s_operations = [AgencyAdmin, Operations, Service];
    private static readonly Role[] s_operationsAndCmo = [AgencyAdmin, Operations, Service, Cmo];
    private static readonly Role[] s_staffAndCmo = [AgencyAdmin, Operations, Finance, Service, Cmo];
    private static readonly Role[] s_staffAndClient = [AgencyAdmin, Operations, Finance, Service, ClientApprover, ClientViewer];
    private static readonly Role[] s_operationsAndApprover = [AgencyAdmin, Operations, Service, ClientApprover];
    private static readonly Role[] s_finance = [AgencyAdmin, Finance];
    private static readonly Role[] s_financeAndService = [AgencyAdmin, Finance, Service];
    private static readonly Role[] s_financeAndCmo = [AgencyAdmin, Finance, Service, Cmo];
    private static readonly Role[] s_admin = [AgencyAdmin];
    private static readonly Role[] s_adminAndService = [AgencyAdmin, Service];
    private static readonly Role[] s_operator = [PlatformOperator];

    private static readonly FrozenDictionary<string, Role[]> s_table = new Dictionary<string, Role[]>
    {
        // ---- health, reflection ----
        ["grpc.health.v1.Health/Check"] = s_anyone,
        ["grpc.health.v1.Health/List"] = s_anyone,
        ["grpc.health.v1.Health/Watch"] = s_anyone,
        ["grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = s_anyone,
        ["grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = s_anyone,

        // ---- long work ----
        ["google.longrunning.Operations/GetOperation"] = s_financeAndService,

        // ---- agencies ----
        ["agencyplatform.agencies.v1.AgenciesService/CreateAgency"] = s_operator,
        ["agencyplatform.agencies.v1.AgenciesService/ListAgencies"] = s_operator,
        ["agencyplatform.agencies.v1.AgenciesService/GetAgency"] = s_everybodyOfTheAgency,
        ["agencyplatform.agencies.v1.AgenciesService/UpdateAgency"] = s_admin,
        ["agencyplatform.agencies.v1.AgenciesService/CreateLegalEntity"] = s_admin,
        ["agencyplatform.agencies.v1.AgenciesService/UpdateLegalEntity"] = s_admin,
        ["agencyplatform.agencies.v1.AgenciesService/GetLegalEntity"] = s_staff,
        ["agencyplatform.agencies.v1.AgenciesService/ListLegalEntities"] = s_staff,
        ["agencyplatform.agencies.v1.AgenciesService/SetHolidayCalendar"] = s_admin,
        ["agencyplatform.agencies.v1.AgenciesService/GetHolidayCalendar"] = s_staffAndCmo,
        ["agencyplatform.agencies.v1.AgenciesService/ListHolidayCalendars"] = s_staffAndCmo,
        ["agencyplatform.agencies.v1.AgenciesService/CreateApiKey"] = [AgencyAdmin, PlatformOperator],
        ["agencyplatform.agencies.v1.AgenciesService/RevokeApiKey"] = s_admin,
        ["agencyplatform.agencies.v1.AgenciesService/ListApiKeys"] = s_admin,
        ["agencyplatform.agencies.v1.AgenciesService/GetCaller"] = [.. s_everybodyOfTheAgency, PlatformOperator],
        ["agencyplatform.agencies.v1.AgenciesService/AdvanceClock"] = s_admin,

        // ---- clients ----
        ["agencyplatform.clients.v1.ClientsService/CreateClientCompany"] = s_operations,
        ["agencyplatform.clients.v1.ClientsService/GetClientCompany"] = s_staffAndClient,
        ["agencyplatform.clients.v1.ClientsService/ListClientCompanies"] = s_staff,
        ["agencyplatform.clients.v1.ClientsService/UpdateClientCompany"] = s_operations,
        ["agencyplatform.clients.v1.ClientsService/SetCompetitors"] = s_operations,
        ["agencyplatform.clients.v1.ClientsService/PutStakeholder"] = s_operations,
        ["agencyplatform.clients.v1.ClientsService/RemoveStakeholder"] = s_operations,
        ["agencyplatform.clients.v1.ClientsService/SetSignOffRules"] = s_operations,
        ["agencyplatform.clients.v1.ClientsService/DelegateSignOff"] = s_operationsAndApprover,
        ["agencyplatform.clients.v1.ClientsService/RevokeDelegation"] = s_operationsAndApprover,

        // ---- cmos ----
        ["agencyplatform.cmos.v1.CmosService/CreateCmo"] = s_operations,
        ["agencyplatform.cmos.v1.CmosService/GetCmo"] = s_staffAndCmo,
        ["agencyplatform.cmos.v1.CmosService/ListCmos"] = s_staff,
        ["agencyplatform.cmos.v1.CmosService/UpdateCmo"] = s_operations,
        ["agencyplatform.cmos.v1.CmosService/SetWorkingPattern"] = s_operations,
        ["agencyplatform.cmos.v1.CmosService/SetHolidays"] = s_operations,
        ["agencyplatform.cmos.v1.CmosService/AddTimeOff"] = s_operationsAndCmo,
        ["agencyplatform.cmos.v1.CmosService/ImportTimeOff"] = s_operationsAndCmo,
        ["agencyplatform.cmos.v1.CmosService/CancelTimeOff"] = s_operationsAndCmo,
        ["agencyplatform.cmos.v1.CmosService/SetCostRate"] = s_finance,

        // ---- capacity ----
        ["agencyplatform.capacity.v1.CapacityService/CheckBooking"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/HoldBooking"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/Book"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/ConfirmBooking"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/ExtendHold"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/ChangeBooking"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/ReleaseBooking"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/GetBooking"] = s_staffAndCmo,
        ["agencyplatform.capacity.v1.CapacityService/ListBookings"] = s_staffAndCmo,
        ["agencyplatform.capacity.v1.CapacityService/GetAvailability"] = s_staffAndCmo,
        ["agencyplatform.capacity.v1.CapacityService/GetUtilization"] = s_staff,
        ["agencyplatform.capacity.v1.CapacityService/FindCmos"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/JoinWaitlist"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/LeaveWaitlist"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/GetWaitlistEntry"] = s_staffAndCmo,
        ["agencyplatform.capacity.v1.CapacityService/ListWaitlistEntries"] = s_staffAndCmo,
        ["agencyplatform.capacity.v1.CapacityService/CreateCapacityRequest"] = s_operations,
        ["agencyplatform.capacity.v1.CapacityService/GetCapacityRequest"] = s_staff,
        ["agencyplatform.capacity.v1.CapacityService/WithdrawCapacityRequest"] = s_operations,

        // ---- engagements ----
        ["agencyplatform.engagements.v1.EngagementsService/CreateEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/GetEngagement"] = s_everybodyOfTheAgency,
        ["agencyplatform.engagements.v1.EngagementsService/ListEngagements"] = s_everybodyOfTheAgency,
        ["agencyplatform.engagements.v1.EngagementsService/UpdateEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/ProposeEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/ReviseEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/SignEngagement"] = s_operationsAndApprover,
        ["agencyplatform.engagements.v1.EngagementsService/DeclineEngagement"] = s_operationsAndApprover,
        ["agencyplatform.engagements.v1.EngagementsService/WithdrawEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/AgreeToEngagement"] = s_operationsAndCmo,
        ["agencyplatform.engagements.v1.EngagementsService/CommentOnEngagement"] = s_operationsAndApprover,
        ["agencyplatform.engagements.v1.EngagementsService/RequestAgreement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/DeclineAgreement"] = s_operationsAndCmo,
        ["agencyplatform.engagements.v1.EngagementsService/SignRenewal"] = s_operationsAndApprover,
        ["agencyplatform.engagements.v1.EngagementsService/ListDue"] = s_staff,
        ["agencyplatform.engagements.v1.EngagementsService/ActivateEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/EndEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/PauseEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/ResumeEngagement"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/ProposeScopeChange"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/SignScopeChange"] = s_operationsAndApprover,
        ["agencyplatform.engagements.v1.EngagementsService/AgreeToScopeChange"] = s_operationsAndCmo,
        ["agencyplatform.engagements.v1.EngagementsService/DeclineScopeChange"] = [AgencyAdmin, Operations, Service, Cmo, ClientApprover],
        ["agencyplatform.engagements.v1.EngagementsService/WithdrawScopeChange"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/ApplyScopeChange"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/RequestCover"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/ConsentToCover"] = s_operationsAndApprover,
        ["agencyplatform.engagements.v1.EngagementsService/AgreeToCover"] = s_operationsAndCmo,
        ["agencyplatform.engagements.v1.EngagementsService/DeclineCover"] = [AgencyAdmin, Operations, Service, Cmo, ClientApprover],
        ["agencyplatform.engagements.v1.EngagementsService/BookCover"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/CancelCover"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/StartTransition"] = s_operations,
        ["agencyplatform.engagements.v1.EngagementsService/PutHandoverItem"] = s_operationsAndCmo,
        ["agencyplatform.engagements.v1.EngagementsService/MarkMilestoneReached"] = s_staff,
        ["agencyplatform.engagements.v1.EngagementsService/ReopenMilestone"] = s_staff,
        ["agencyplatform.engagements.v1.EngagementsService/SellPrepaidHours"] = s_staff,

        // ---- calendars ----
        ["agencyplatform.calendars.v1.CalendarsService/CreateCalendarLink"] = s_operationsAndCmo,
        ["agencyplatform.calendars.v1.CalendarsService/ListCalendarLinks"] = s_operationsAndCmo,
        ["agencyplatform.calendars.v1.CalendarsService/RevokeCalendarLink"] = s_operationsAndCmo,

        // ---- absences ----
        ["agencyplatform.absences.v1.AbsencesService/CreateAbsence"] = s_operations,
        ["agencyplatform.absences.v1.AbsencesService/GetAbsence"] = s_operations,
        ["agencyplatform.absences.v1.AbsencesService/ListAbsences"] = s_operations,

        // ---- time ----
        ["agencyplatform.time.v1.TimeService/LogTime"] = s_operationsAndCmo,
        ["agencyplatform.time.v1.TimeService/RemoveTimeEntries"] = s_operationsAndCmo,
        ["agencyplatform.time.v1.TimeService/SubmitTimesheet"] = s_operationsAndCmo,
        ["agencyplatform.time.v1.TimeService/ApproveEntries"] = s_operations,
        ["agencyplatform.time.v1.TimeService/RejectEntries"] = s_operations,
        ["agencyplatform.time.v1.TimeService/ReverseEntries"] = s_operations,
        ["agencyplatform.time.v1.TimeService/DisputeTimeEntry"] = s_operationsAndApprover,
        ["agencyplatform.time.v1.TimeService/ResolveDispute"] = s_operations,
        ["agencyplatform.time.v1.TimeService/PrefillTimesheet"] = s_staffAndCmo,
        ["agencyplatform.time.v1.TimeService/LogAsPlanned"] = s_operationsAndCmo,
        ["agencyplatform.time.v1.TimeService/ReportNothingWorked"] = s_operationsAndCmo,
        ["agencyplatform.time.v1.TimeService/GetTimesheet"] = s_staffAndCmo,
        ["agencyplatform.time.v1.TimeService/ListTimeEntries"] = s_everybodyOfTheAgency,
        ["agencyplatform.time.v1.TimeService/BatchLogTime"] = s_operationsAndCmo,
        ["agencyplatform.time.v1.TimeService/ImportTime"] = s_operationsAndCmo,
        ["agencyplatform.time.v1.TimeService/ListMissingTimesheets"] = s_staff,
        ["agencyplatform.time.v1.TimeService/ListWorkedAgainstBooked"] = s_staff,
        ["agencyplatform.time.v1.TimeService/ConsentToOverage"] = s_operationsAndApprover,
        ["agencyplatform.time.v1.TimeService/GetMeter"] = s_everybodyOfTheAgency,

        // ---- billing ----
        ["agencyplatform.billing.v1.BooksService/GetBooks"] = s_financeAndService,
        ["agencyplatform.billing.v1.BooksService/GetClosingChecklist"] = s_financeAndService,
        ["agencyplatform.billing.v1.BooksService/CloseBooks"] = s_finance,
        ["agencyplatform.billing.v1.BooksService/ListClosings"] = s_financeAndService,
        ["agencyplatform.billing.v1.BooksService/ListEngagementBalances"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingRunsService/RunBilling"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingRunsService/GetBillingRun"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingRunsService/ListBillingRuns"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingRunsService/ListBillingRunResults"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingRunsService/CancelBillingRun"] = s_financeAndService,
        ["agencyplatform.billing.v1.ExplanationsService/ExplainInvoiceLine"] = s_staffAndClient,
        ["agencyplatform.billing.v1.ExplanationsService/ExplainInvoice"] = s_staffAndClient,
        ["agencyplatform.billing.v1.ExplanationsService/ExplainPosting"] = s_financeAndCmo,
        ["agencyplatform.billing.v1.CutOverService/ImportOpenBooks"] = s_finance,
        ["agencyplatform.billing.v1.CutOverService/GetOpenBooksImport"] = s_financeAndService,
        ["agencyplatform.billing.v1.CutOverService/ListOpenBooksImports"] = s_financeAndService,
        ["agencyplatform.billing.v1.PayablesService/GetCmoStatement"] = s_financeAndCmo,
        ["agencyplatform.billing.v1.PayablesService/RecordPayout"] = s_financeAndService,
        ["agencyplatform.billing.v1.PayablesService/ReversePayout"] = s_financeAndService,
        ["agencyplatform.billing.v1.PayablesService/GetPayout"] = s_financeAndCmo,
        ["agencyplatform.billing.v1.PayablesService/ListPayouts"] = s_financeAndCmo,
        ["agencyplatform.billing.v1.PayablesService/RunPayouts"] = s_financeAndService,
        ["agencyplatform.billing.v1.PayablesService/GetPayoutRun"] = s_financeAndService,
        ["agencyplatform.billing.v1.PayablesService/ListPayoutRuns"] = s_financeAndService,
        ["agencyplatform.billing.v1.PayablesService/GetMargin"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/PreviewInvoice"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/PrepareInvoice"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/FinalizeInvoice"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/ConfirmInvoiceSeries"] = s_finance,
        ["agencyplatform.billing.v1.BillingService/SetInvoiceSeriesSettings"] = s_finance,
        ["agencyplatform.billing.v1.BillingService/GetInvoiceSeries"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/ListInvoiceSeries"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/DiscardInvoice"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/GetInvoice"] = s_staffAndClient,
        ["agencyplatform.billing.v1.BillingService/ListInvoices"] = s_staffAndClient,
        ["agencyplatform.billing.v1.BillingService/ExportInvoice"] = s_staffAndClient,
        ["agencyplatform.billing.v1.BillingService/ExportInvoices"] = s_staffAndClient,
        ["agencyplatform.billing.v1.BillingService/ListPostings"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/GetTrialBalance"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/RecordPayment"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/ReversePayment"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/GetPayment"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/ListPayments"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/AllocateCredit"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/RefundCredit"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/ListBillingAccounts"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/CreditInvoice"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/WriteOffInvoice"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/MarkInvoiceSent"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/GetAccountStatement"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/GetAging"] = s_financeAndService,
        ["agencyplatform.billing.v1.BillingService/GetAccountHistory"] = s_financeAndService,

        // ---- events ----
        ["agencyplatform.events.v1.EventsService/ListEvents"] = s_everybodyOfTheAgency,
        ["agencyplatform.events.v1.EventsService/Watch"] = s_everybodyOfTheAgency,

        // ---- webhooks ----
        ["agencyplatform.webhooks.v1.WebhooksService/CreateWebhook"] = s_admin,
        ["agencyplatform.webhooks.v1.WebhooksService/GetWebhook"] = s_adminAndService,
        ["agencyplatform.webhooks.v1.WebhooksService/ListWebhooks"] = s_adminAndService,
        ["agencyplatform.webhooks.v1.WebhooksService/UpdateWebhook"] = s_admin,
        ["agencyplatform.webhooks.v1.WebhooksService/RotateWebhookSecret"] = s_admin,
        ["agencyplatform.webhooks.v1.WebhooksService/DeleteWebhook"] = s_admin,
        ["agencyplatform.webhooks.v1.WebhooksService/ListFailedDeliveries"] = s_adminAndService,
        ["agencyplatform.webhooks.v1.WebhooksService/RedeliverEvent"] = s_adminAndService,
        ["agencyplatform.webhooks.v1.WebhooksService/ReplayWebhook"] = s_adminAndService,
        ["agencyplatform.webhooks.v1.WebhooksService/PingWebhook"] = s_adminAndService,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every RPC (<c>package.Service/Method</c>) with its roles; no roles: anyone, without a key.</summary>
    public static IReadOnlyDictionary<string, Role[]> Table => s_table;

    /// <summary>The roles of a method as gRPC names it (<c>/package.Service/Method</c>), or null when it is not in the table.</summary>
    public static Role[]? Of(string method) => s_table.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(method.AsSpan(1), out var roles) ? roles : null;
}
