using AgencyPlatform.Client;
using AgencyPlatform.Protocol.Agencies.V1;
using AgencyPlatform.Protocol.Capacity.V1;
using AgencyPlatform.Protocol.Cmos.V1;
using AgencyPlatform.Protocol.Engagements.V1;
using AgencyPlatform.Protocol.Time.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Date = Google.Type.Date;

namespace AgencyPlatform.Gateway.Tests.Kernel;

/// <summary>A refusal names every bad field at once and nothing else: one bad field hides no other, and what stands in for it is held against none.</summary>
[Collection(PlatformFixture.Collection)]
public sealed class EveryBadFieldTests(PlatformFixture platform)
{
    [Fact]
    public async Task What_only_the_platform_sets_is_refused_wherever_it_is_filled()
    {
        var agency = await platform.NewAgency();
        await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var admin = await agency.Admin();
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        var launch = await engagements.GetEngagementAsync(new GetEngagementRequest { Name = $"{agency.Name}/engagements/launch" });

        // What was read is no draft: nearly all of what it says happened to the other.
        var copied = await Refused.By(engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, EngagementId = "copy", Engagement = launch }));
        Assert.Equal(StatusCode.InvalidArgument, copied.StatusCode);
        foreach (var field in new[] { "engagement.state", "engagement.uid", "engagement.create_time", "engagement.revision", "engagement.signatures", "engagement.members[0].booking", "engagement.tenure_months" })
        {
            Assert.Contains(copied.FieldViolations, v => v.Field == field && v.Description == "is set by the platform only: leave it out");
        }

        var scope = await Refused.By(engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest
        {
            Name = launch.Name,
            ScopeChange = new ScopeChange { EffectiveDate = Day(3, 2), Lead = launch.Lead, ExpireTime = Timestamp.FromDateTime(new DateTime(2026, 2, 1, 0, 0, 0, DateTimeKind.Utc)) },
        }));
        Assert.Equal(["scope_change.expire_time"], scope.FieldViolations.Select(v => v.Field));

        var late = await Refused.By(engagements.ProposeScopeChangeAsync(new ProposeScopeChangeRequest { Name = launch.Name, ScopeChange = new ScopeChange { EffectiveDate = Day(3, 2), Terms = launch.Terms[0] } }));
        Assert.Equal("scope_change.terms.effective_date: must be left out, or 2026-03-02, from when they hold.", late.Message);

        // An update gives back what it read.
        var changed = launch.Clone();
        changed.Labels["tier"] = "gold";
        var updated = await engagements.UpdateEngagementAsync(new UpdateEngagementRequest { Engagement = changed, UpdateMask = FieldMask.FromString("labels") });
        Assert.Equal(("gold", launch.State), (updated.Labels["tier"], updated.State));
    }

    /// <summary>Resources say of their common fields that the platform sets them: of each message that a request takes.</summary>
    [Fact]
    public void The_common_fields_of_what_a_request_takes_are_marked_as_output()
    {
        var taken = new HashSet<MessageDescriptor>();
        foreach (var method in ProtocolFiles.Services.SelectMany(s => s.Methods))
        {
            Take(method.InputType);
        }

        var unmarked = from message in taken
                       from field in message.Fields.InDeclarationOrder()
                       where field.Name is "uid" or "create_time" or "update_time" && !IsOutput(field)
                       select field.FullName;
        Assert.Contains(taken, t => t.Name == "Engagement");
        Assert.Empty(unmarked);

        void Take(MessageDescriptor type)
        {
            foreach (var field in type.Fields.InDeclarationOrder())
            {
                if (field.FieldType == FieldType.Message && !IsOutput(field) && taken.Add(field.MessageType))
                {
                    Take(field.MessageType);
                }
            }
        }

        static bool IsOutput(FieldDescriptor field) => field.GetOptions()?.GetExtension(Google.Api.FieldBehaviorExtensions.FieldBehavior)?.Contains(Google.Api.FieldBehavior.OutputOnly) is true;
    }

    [Fact]
    public async Task One_bad_field_hides_no_other()
    {
        var agency = await platform.NewAgency();
        await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var admin = await agency.Admin();
        var engagements = admin.Service<EngagementsService.EngagementsServiceClient>();
        var name = $"{agency.Name}/engagements/launch";

        // A step without a start, whose minutes are bad too.
        var booking = new Booking { ClientCompany = $"{agency.Name}/clientCompanies/acme", Steps = { new BookingStep { EndDate = Day(2, 2), Flexible = new FlexibleForm { WeeklyMinutes = 99_999 } } } };
        Assert.Equal(
            ["booking.steps[0].start_date", "booking.steps[0].flexible.weekly_minutes"],
            await Bad(admin.Service<CapacityService.CapacityServiceClient>().BookAsync(new BookRequest { Parent = $"{agency.Name}/cmos/ada", Booking = booking })));

        // A term of no length, renewed by nothing, with a notice of less than none.
        var draft = new Engagement
        {
            ClientCompany = $"{agency.Name}/clientCompanies/acme",
            Title = "Next",
            ServiceType = ServiceType.Consultant,
            Lead = $"{agency.Name}/cmos/ada",
            Members = { new Member { Cmo = $"{agency.Name}/cmos/ada", Steps = { new BookingStep { StartDate = Day(3, 2), Flexible = new FlexibleForm { WeeklyMinutes = 0 } } } } },
            Terms = { ActiveEngagement.Hourly(agency) },
            SignaturesNeeded = 21,
            Term = new TermRules { Renewal = TermRules.Types.Renewal.Automatic, NoticeDays = -1 },
        };
        Assert.Equal(
            [
                "engagement.members[0].steps[0].flexible.weekly_minutes", "engagement.signatures_needed", "engagement.start_date", "engagement.term.initial_months",
                "engagement.term.notice_days", "engagement.term.renewal_months",
            ],
            (await Bad(engagements.CreateEngagementAsync(new CreateEngagementRequest { Parent = agency.Name, Engagement = draft }))).Order());

        // A taper that rises and goes back, with an item without a title.
        var taper = new Transition
        {
            Steps = { new TaperStep { EffectiveDate = Day(3, 2), Percent = 50 }, new TaperStep { EffectiveDate = Day(2, 2), Percent = 60 } },
            Checklist = { new HandoverItem { ItemId = "ads" } },
        };
        Assert.Equal(
            ["transition.checklist[0].title", "transition.steps[1].effective_date", "transition.steps[1].percent"],
            (await Bad(engagements.StartTransitionAsync(new StartTransitionRequest { Name = name, Transition = taper }))).Order());
    }

    [Fact]
    public async Task What_stands_in_for_a_bad_week_is_held_against_nothing()
    {
        var agency = await platform.NewAgency();
        await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var time = (await agency.Admin()).Service<TimeService.TimeServiceClient>();
        foreach (var week in new[] { "2026-W03", "2026-w54", "week3" })
        {
            var error = await Refused.By(time.LogTimeAsync(new LogTimeRequest
            {
                Name = $"{agency.Name}/cmos/ada/timesheets/{week}",
                Entries = { new TimeEntry { EntryId = "a", Engagement = $"{agency.Name}/engagements/launch", Date = Day(1, 12), Minutes = 60 } },
            }));
            Assert.All(error.FieldViolations, v => Assert.Equal("name", v.Field));
            Assert.Contains(error.FieldViolations, v => v.Description.Contains("2026-w14", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Nobody_reads_what_will_be_known()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        var time = admin.Service<TimeService.TimeServiceClient>();
        var request = new GetMeterRequest { Name = $"{agency.Name}/engagements/launch", Date = Day(1, 6), ReadTime = Timestamp.FromDateTime(new DateTime(2027, 1, 1, 0, 0, 0, DateTimeKind.Utc)) };
        Assert.Equal(["read_time"], await Bad(time.GetMeterAsync(request)));
        Assert.Equal(["read_time"], await Bad(admin.Service<CmosService.CmosServiceClient>().GetCmoAsync(new GetCmoRequest { Name = $"{agency.Name}/cmos/ada", ReadTime = request.ReadTime })));
    }

    [Fact]
    public async Task The_agency_says_how_the_client_told_its_consent()
    {
        var agency = await platform.NewAgency();
        var admin = await ActiveEngagement.Create(agency, ActiveEngagement.Hourly);
        Assert.Equal(["note"], await Bad(admin.Service<TimeService.TimeServiceClient>().ConsentToOverageAsync(new ConsentToOverageRequest { Name = $"{agency.Name}/engagements/launch", Minutes = 10 })));
    }

    private static async Task<IEnumerable<string>> Bad<T>(AsyncUnaryCall<T> call)
    {
        var error = await Refused.By(call);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        return error.FieldViolations.Select(v => v.Field);
    }

    private static Date Day(int month, int day) => new() { Year = 2026, Month = month, Day = day };
}
