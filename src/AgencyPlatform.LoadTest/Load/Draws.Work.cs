using System.Globalization;
using AgencyPlatform.LoadTest.Calls;
using AgencyPlatform.LoadTest.Scenarios;
using AgencyPlatform.Protocol.Billing.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Clients.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Money = AgencyPlatform.Protocol.Type.V1.Money;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>Engagements, time, billing and reads. What waits for its next step is on the board; what was drawn notes there what comes of it.</summary>
internal sealed partial class Draws
{


    private DateOnly Today => agency.FirstMonday.AddDays(-21);

    private string Seller => $"{agency.Name}/legalEntities/us";

    private Operation Work(Kind kind) => kind switch
    {
        Kind.Engage => Engage(),
        Kind.Log => Board.Look(Kind.Log, random) is { } active ? Log(active) : Engage(),
        Kind.Submit => Board.Take(Kind.Submit, random) is { } sheet ? Then(Of(new SubmitTimesheetRequest { Name = sheet.Name, EntryIds = { sheet.Entries } }), Kind.Approve, sheet) : Work(Kind.Log),
        Kind.Approve => Board.Take(Kind.Approve, random) is { } sheet ? Of(new ApproveEntriesRequest { Name = sheet.Name, EntryIds = { sheet.Entries } }) : Work(Kind.Submit),
        Kind.Preview => Board.Look(Kind.Log, random) is { } active
            ? Of(new PreviewInvoiceRequest { Parent = agency.Name, ClientCompany = active.Client, LegalEntity = Seller, Currency = "USD", ToDate = Today.ToWire() })
            : Engage(),
        Kind.Invoice => Board.Look(Kind.Log, random) is { } active ? Invoice(active) : Engage(),
        Kind.Finalize => Board.Take(Kind.Finalize, random) is { } draft ? Of(new FinalizeInvoiceRequest { Name = draft.Name }) : Work(Kind.Invoice),
        _ => random.Next(agency.Scenario.HasTime ? 4 : 3) switch
        {
            0 => Of(new ListBookingsRequest { Parent = Cmo(), PageSize = 20 }),
            1 => Of(new ListClientCompaniesRequest { Parent = agency.Name, PageSize = 20 }),
            2 => Of(new GetAvailabilityRequest { Name = Cmo(), StartDate = agency.FirstMonday.ToWire(), Weeks = 8 }),
            _ => Of(new GetTrialBalanceRequest { Parent = agency.Name }),
        },
    };

    /// <summary>The next move of an engagement, or a new one.</summary>
    private Operation Engage()
    {
        if (Board.Take(Kind.Engage, random) is not { } engagement)
        {
            return Create();
        }

        var client = engagement.Client[(engagement.Client.LastIndexOf('/') + 1)..];
        var moved = engagement with { Stage = engagement.Stage + 1 };
        return engagement.Stage switch
        {
            1 => Then(Of(new ProposeEngagementRequest { Name = engagement.Name }), Kind.Engage, moved),
            2 => Then(Of(new SignEngagementRequest { Name = engagement.Name, PersonId = client + "-ceo", Revision = 1 }), Kind.Engage, moved),
            3 => agency.Scenario.HasTime
                ? Then(Of(new ActivateEngagementRequest { Name = engagement.Name }), Kind.Log, moved)
                : random.Next(2) == 0 ? Then(Of(new ActivateEngagementRequest { Name = engagement.Name }), Kind.Engage, moved) : Of(new ActivateEngagementRequest { Name = engagement.Name }),
            _ => Of(new EndEngagementRequest { Name = engagement.Name, EndDate = engagement.Start.AddDays(1 + random.Next(20)).ToWire() }),
        };
    }

    private Operation Create()
    {
        var id = NewId(agency.Tag + "e");
        // With time: begun some weeks ago, so that there is something to log and to bill.
        var start = agency.Scenario.HasTime ? Today.Monday().AddDays(-7 * random.Next(2, 10)) : agency.FirstMonday.AddDays(7 * random.Next(20));
        var terms = new Terms { EffectiveDate = start.ToWire(), Seller = Seller, Currency = "USD", BillCycleDay = 1 + random.Next(28), PeriodMonths = 1 };
        if (agency.Scenario.HasTime && random.Next(2) == 0)
        {
            terms.Retainer = new RetainerTerms
            {
                Fee = new Money { MinorUnits = 400_000 + random.Next(400_000), Currency = "USD" },
                IncludedMinutes = 600,
                OverageHourlyRate = new Money { MinorUnits = 27_500, Currency = "USD" },
                OverageGate = OverageGate.Bill,
            };
        }
        else
        {
            terms.Hourly = new HourlyTerms { HourlyRate = new Money { MinorUnits = 25_000, Currency = "USD" } };
        }

        var engagement = new Engagement
        {
            ClientCompany = Client(),
            Title = "Load",
            ServiceType = ServiceType.FractionalCmo,
            StartDate = start.ToWire(),
            EndDate = start.AddDays(7 * (agency.Scenario.HasTime ? random.Next(12, 20) : random.Next(4, 12))).ToWire(),
            Terms = { terms },
        };
        foreach (var cmo in new[] { Cmo(), Cmo() }.Distinct())
        {
            engagement.Members.Add(new Member
            {
                Cmo = cmo,
                Role = "CMO",
                CmoAgreementWaived = true,
                Steps = { new BookingStep { StartDate = engagement.StartDate, EndDate = engagement.EndDate, Flexible = new FlexibleForm { WeeklyMinutes = random.Next(60, 400) } } },
            });
        }

        engagement.Lead = engagement.Members[0].Cmo;
        return Then(
            Of(new CreateEngagementRequest { Parent = agency.Name, EngagementId = id, Engagement = engagement }), Kind.Engage,
            new Work($"{agency.Name}/engagements/{id}", engagement.ClientCompany, engagement.Lead, 1, start));
    }

    private Operation Log(Work active)
    {
        // Two days ago is the past in every time zone.
        var last = Today.AddDays(-2);
        var date = last.AddDays(-random.Next(Math.Min(21, last.DayNumber - active.Start.DayNumber)));
        var (year, week) = (ISOWeek.GetYear(date.ToDateTime(default)), ISOWeek.GetWeekOfYear(date.ToDateTime(default)));
        var sheet = string.Create(CultureInfo.InvariantCulture, $"{active.Cmo}/timesheets/{year:0000}-w{week:00}");
        var request = new LogTimeRequest { Name = sheet };
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            request.Entries.Add(new TimeEntry
            {
                EntryId = NewId("t"),
                Engagement = active.Name,
                Date = date.ToWire(),
                Minutes = random.Next(1, 40),
                Category = "work",
                NonBillable = random.Next(8) == 0,
            });
        }

        return Then(Of(request), Kind.Submit, new Work(sheet, Entries: [.. request.Entries.Select(e => e.EntryId)]));
    }

    private Operation Invoice(Work active)
    {
        var id = NewId(agency.Tag + "i");
        var request = new PrepareInvoiceRequest { Parent = agency.Name, ClientCompany = active.Client, LegalEntity = Seller, Currency = "USD", ToDate = Today.AddDays(-random.Next(10)).ToWire(), InvoiceId = id };
        return Then(Of(request), Kind.Finalize, new Work($"{agency.Name}/invoices/{id}"));
    }

    /// <summary>When it has succeeded, this waits for its next step.</summary>
    private static Operation Then(Operation operation, Kind kind, Work work) => operation with { Then = (kind, work) };
}
