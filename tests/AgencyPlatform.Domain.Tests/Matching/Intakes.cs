using AgencyPlatform.Domain.Billing;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Engagements;
using AgencyPlatform.Domain.Matching;
using NodaTime;
using static AgencyPlatform.Domain.Tests.Capacity.Given;

namespace AgencyPlatform.Domain.Tests.Matching;

/// <summary>What an intake says, what is like it, and how it becomes a proposal.</summary>
public class Intakes
{
    private static readonly Guid s_request = Guid.CreateVersion7();
    private static readonly PersonDetails s_bea = new("Bea", "bea@example.com");

    private static readonly IntakeBrief s_brief = IntakeBrief.Empty with
    {
        Company = "Harbor Foods, Inc.",
        Industry = "retail",
        TimeZone = "America/New_York",
        Stage = GrowthStage.Growth,
        Headcount = 60,
        MonthlyMinutes = 2_400,
        Start = Day(2, 2),
        Months = 6,
        ContactTitle = "CEO",
    };

    private static readonly ConvertIntake s_convert = new(
        new("harbor"), new("harbor-cmo"), new("ada"), null, new("main"), new Money(800_000, new Currency("USD")), 25_000, "", true);

    [Fact]
    public void It_tells_what_it_does_not_say_and_how_much_it_says()
    {
        Assert.Equal((0, 17), (IntakeBrief.Empty.CompletePercent(), IntakeBrief.Empty.Missing().Length));
        Assert.Equal(
            ["team", "ceo_weekly_minutes", "reasons", "goals", "tried", "monthly_budget", "work_mode", "specialisms", "styles"], s_brief.Missing().AsEnumerable());
        Assert.Equal(47, s_brief.CompletePercent());
        Assert.DoesNotContain("ceo_weekly_minutes", (s_brief with { CeoWeeklyMinutes = 0 }).Missing());
    }

    [Theory]
    [InlineData("Harbor Foods", true)]
    [InlineData("HARBOR-FOODS LLC", true)]
    [InlineData("The Harbor Foods Company", true)]
    [InlineData(" harbor  foods GmbH", true)]
    [InlineData("Harbor Food", false)]
    [InlineData("Inc.", false)]
    public void A_client_of_a_name_that_is_spelled_another_way_is_a_likely_duplicate(string name, bool like)
    {
        var clients = new[] { new ClientRow(new("other"), name, "", ""), new ClientRow(new("bolt"), "Bolt", "", "") };
        Assert.Equal(like ? new[] { "other" } : [], IntakeReview.Duplicates(s_brief, clients).Select(c => c.Id.Value));
        Assert.Empty(IntakeReview.Duplicates(s_brief with { Client = new("other") }, clients));
    }

    [Fact]
    public void Hours_are_suggested_from_what_like_companies_took()
    {
        static IntakeRow Row(string id, int minutes, GrowthStage stage, int headcount, string industry, IntakeState state = IntakeState.Converted) =>
            new(new(id), id, state, stage, headcount, industry, minutes, new(id), new(id));
        IntakeRow[] rows =
        [
            Row("a", 1_200, GrowthStage.Growth, 500, "retail"), Row("b", 3_600, GrowthStage.Growth, 120, "food"), Row("c", 2_400, GrowthStage.Early, 30, "retail"), Row("d", 4_800, GrowthStage.Growth, 60, "retail"),
            Row("only-size", 60, GrowthStage.Early, 60, "food"), Row("too-large", 60, GrowthStage.Growth, 121, "food"), Row("open", 60, GrowthStage.Growth, 60, "retail", IntakeState.Open),
        ];

        var (minutes, like) = IntakeReview.Hours(s_brief, rows);

        Assert.Equal(2_400, minutes);
        Assert.Equal(["a", "b", "c", "d"], like.Select(r => r.Id.Value));
        Assert.Null(IntakeReview.Hours(s_brief with { Stage = null, Industry = "" }, rows).MonthlyMinutes);
    }

    [Fact]
    public void It_is_converted_step_by_step_once_it_says_enough()
    {
        var missing = Created(IntakeBrief.Empty with { Company = "x" }).Convert(s_convert, s_request, Now).Rejection!;
        Assert.Equal((Reasons.IntakeIncomplete, "time_zone,monthly_minutes,start_date"), (missing.Reason, missing.Metadata["missing"]));

        var intake = Then(Created(s_brief), i => i.Convert(s_convert, s_request, Now));
        var plan = intake.Conversion!.Plan;
        Assert.Equal((Day(2, 2), Day(8, 2), "Harbor Foods, Inc.", ServiceType.FractionalCmo), (plan.Start, plan.End!.Value, plan.Title, plan.ServiceType));
        Assert.Equal(new BillCycle(2, 1), plan.Terms.Cycle);
        Assert.Empty(plan.Violations());
        foreach (var step in new[] { ConversionStep.CreateClient, ConversionStep.PutContact, ConversionStep.CreateEngagement, ConversionStep.Propose })
        {
            Assert.Equal((step, false), (intake.NextStep(), intake.OutcomeOf(s_request).Ended));
            Assert.Equal(Reasons.IntakeState, intake.Update(new UpdateIntake(s_brief, null)).Rejection!.Reason);
            intake = Then(intake, i => i.Record(step, null));
            Assert.Empty(intake.Record(step, null).Events);
        }

        Assert.Equal((IntakeState.Converted, null, (true, null)), (intake.State, intake.NextStep(), intake.OutcomeOf(s_request)));
        Assert.Equal(Reasons.IntakeState, intake.Convert(s_convert, Guid.CreateVersion7(), Now).Rejection!.Reason);
        Assert.Equal(Reasons.IntakeState, intake.Close(new CloseIntake("")).Rejection!.Reason);
    }

    [Fact]
    public void What_is_refused_opens_it_again_and_a_proposal_that_is_refused_leaves_a_draft()
    {
        var no = Rejection.AlreadyExists("engagement", "harbor-cmo");
        var intake = Then(Created(s_brief), i => i.Convert(s_convert, s_request, Now), i => i.Record(ConversionStep.CreateClient, null), i => i.Record(ConversionStep.PutContact, null), i => i.Record(ConversionStep.CreateEngagement, no));
        Assert.Equal((IntakeState.Open, new ClientCompanyId("harbor")), (intake.State, intake.Brief.Client!.Value));
        Assert.Equal((true, no), intake.OutcomeOf(s_request));

        // It has a client now: none is made again.
        var again = Then(intake, i => i.Convert(s_convert with { Client = new("another"), Engagement = new("next") }, Guid.CreateVersion7(), Now));
        Assert.Equal((ConversionStep.PutContact, new ClientCompanyId("harbor")), (again.NextStep(), again.Conversion!.Client));
        var draft = Then(again, i => i.Record(ConversionStep.PutContact, null), i => i.Record(ConversionStep.CreateEngagement, null), i => i.Record(ConversionStep.Propose, no));
        Assert.Equal((IntakeState.Converted, no), (draft.State, draft.Conversion!.NotProposed));
    }

    [Fact]
    public void Who_the_contact_is_goes_to_the_vault_and_is_erased_with_the_contact()
    {
        var created = Intake.Initial.Create(new CreateIntake(new("i"), s_brief, s_bea));
        Assert.Equal(new PersonWrite(new PersonId("i-contact"), s_bea), Assert.Single(created.People));
        var intake = created.Events.Aggregate(Intake.Initial, (s, e) => s.Apply(e));
        Assert.Empty(intake.Update(new UpdateIntake(s_brief, null)).People);
        Assert.Equal(new PersonWrite(intake.Contact, null), Assert.Single(intake.Update(new UpdateIntake(s_brief with { ContactTitle = null }, null)).People));
    }

    private static Intake Created(IntakeBrief brief) => Then(Intake.Initial, i => i.Create(new CreateIntake(new("i"), brief, brief.ContactTitle is null ? null : s_bea)));

    private static Intake Then(Intake intake, params ReadOnlySpan<Func<Intake, Decision>> decisions)
    {
        foreach (var decide in decisions)
        {
            var decision = decide(intake);
            Assert.Null(decision.Rejection);
            intake = decision.Events.Aggregate(intake, (s, e) => s.Apply(e));
        }

        return intake;
    }
}
