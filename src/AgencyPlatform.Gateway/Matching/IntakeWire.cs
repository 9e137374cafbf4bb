using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Domain.Matching;
using AgencyPlatform.Gateway.Clients;
using AgencyPlatform.Gateway.Cmos;
using Intake = AgencyPlatform.Domain.Matching.Intake;
using MustHaves = AgencyPlatform.Domain.Matching.MustHaves;
using ServiceType = AgencyPlatform.Domain.Engagements.ServiceType;
using V1 = AgencyPlatform.Protocol.Matching.V1;

namespace AgencyPlatform.Gateway.Matching;

/// <summary>Intakes between the wire and the domain.</summary>
internal static class IntakeWire
{
    public const string Collection = "intakes";

    private const int MostText = 2_000;

    public static IntakeBrief Brief(string path, V1.Intake wire, AgencyId agency, Fields fields)
    {
        fields.Require(wire.Competitors.Count <= IntakeBrief.MostCompetitors, $"{path}.competitors", $"must be at most {IntakeBrief.MostCompetitors}; they are {wire.Competitors.Count}");
        return new IntakeBrief(
            fields.Text($"{path}.company_name", wire.CompanyName, 200),
            fields.Text($"{path}.website", wire.Website, 300, required: false),
            ExpertiseWire.Word($"{path}.industry", wire.Industry, fields),
            wire.TimeZone.Length == 0 ? "" : fields.TimeZone($"{path}.time_zone", wire.TimeZone),
            ExpertiseWire.Stage($"{path}.growth_stage", wire.GrowthStage, fields),
            Said($"{path}.headcount", wire.Headcount, CmoExpertise.MostHeadcount, "people", fields),
            fields.LongText($"{path}.team", wire.Team, MostText),
            wire.HasCeoWeeklyMinutes ? fields.Number($"{path}.ceo_weekly_minutes", wire.CeoWeeklyMinutes, 0, 7 * 1_440, "minutes") : null,
            fields.Lines($"{path}.reasons", wire.Reasons, IntakeBrief.MostLines, 500),
            fields.Lines($"{path}.goals", wire.Goals, IntakeBrief.MostLines, 500),
            fields.LongText($"{path}.tried", wire.Tried, MostText),
            wire.MonthlyBudget is null ? null : fields.Money($"{path}.monthly_budget", wire.MonthlyBudget, 1),
            Said($"{path}.monthly_minutes", wire.MonthlyMinutes, IntakeBrief.MostMonthlyMinutes, "minutes", fields),
            fields.OptionalDate($"{path}.start_date", wire.StartDate),
            Said($"{path}.months", wire.Months, IntakeBrief.MostMonths, "months", fields),
            wire.ServiceType == 0 ? ServiceType.FractionalCmo : fields.Enum<Protocol.Engagements.V1.ServiceType, ServiceType>($"{path}.service_type", wire.ServiceType),
            ExpertiseWire.Mode($"{path}.work_mode", wire.WorkMode, fields),
            fields.Text($"{path}.location", wire.Location, 200, required: false),
            ExpertiseWire.Hours($"{path}.working_hours", wire.WorkingHours, fields),
            fields.MinutesOfDay($"{path}.overlap_minutes", wire.OverlapMinutes),
            ExpertiseWire.Words($"{path}.specialisms", wire.Specialisms, fields),
            ExpertiseWire.Words($"{path}.styles", wire.Styles, fields),
            Must($"{path}.must_haves", wire.MustHaves, fields),
            fields.OptionalReference<ClientCompanyId>($"{path}.client_company", wire.ClientCompany, agency, ClientsService.Collection),
            [.. wire.Competitors.Take(IntakeBrief.MostCompetitors).Select((name, i) => fields.Reference<ClientCompanyId>($"{path}.competitors[{i}]", name, agency, ClientsService.Collection))],
            wire.Contact is null ? null : fields.Text($"{path}.contact.title", wire.Contact.Title, 100, required: false));
    }

    /// <summary>Who the contact is; null: nobody is known.</summary>
    public static PersonDetails? Contact(string path, V1.Intake.Types.Contact? wire, Fields fields) =>
        wire is null ? null : new PersonDetails(fields.Text($"{path}.display_name", wire.DisplayName, 200), fields.Email($"{path}.email", wire.Email));

    public static V1.Intake ToWire(AgencyId agency, Intake intake, Meta meta, Func<PersonId, PersonDetails> people)
    {
        var (brief, done) = (intake.Brief, intake.State == IntakeState.Converted ? intake.Conversion : null);
        var wire = new V1.Intake
        {
            Name = ResourceNames.Of(agency, Collection, intake.Id.Value),
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            State = intake.State.ToWire<V1.Intake.Types.State>(),
            Missing = { brief.Missing() },
            CompletePercent = brief.CompletePercent(),
            CompanyName = brief.Company,
            Website = brief.Website,
            Industry = brief.Industry,
            TimeZone = brief.TimeZone,
            GrowthStage = brief.Stage?.ToWire<Protocol.Cmos.V1.GrowthStage>() ?? 0,
            Headcount = brief.Headcount ?? 0,
            Team = brief.Team,
            Reasons = { brief.Reasons },
            Goals = { brief.Goals },
            Tried = brief.Tried,
            MonthlyBudget = brief.MonthlyBudget?.ToWire(),
            MonthlyMinutes = brief.MonthlyMinutes ?? 0,
            StartDate = brief.Start.ToWire(),
            Months = brief.Months ?? 0,
            ServiceType = brief.ServiceType.ToWire<Protocol.Engagements.V1.ServiceType>(),
            WorkMode = brief.WorkMode?.ToWire<Protocol.Cmos.V1.WorkMode>() ?? 0,
            Location = brief.Location,
            WorkingHours = ExpertiseWire.ToWire(brief.Hours),
            OverlapMinutes = brief.OverlapMinutes,
            Specialisms = { brief.Specialisms },
            Styles = { brief.Styles },
            MustHaves = new V1.MustHaves
            {
                Specialisms = { brief.MustHaves.Specialisms },
                Industries = { brief.MustHaves.Industries },
                Languages = { brief.MustHaves.Languages },
                YearsLeading = brief.MustHaves.YearsLeading,
                WorkMode = brief.MustHaves.WorkMode,
            },
            ClientCompany = brief.Client is { } client ? ResourceNames.Of(agency, ClientsService.Collection, client.Value) : "",
            Competitors = { brief.Competitors.Select(c => ResourceNames.Of(agency, ClientsService.Collection, c.Value)) },
            CloseReason = intake.Reason,
            Engagement = done is null ? "" : ResourceNames.Of(agency, "engagements", done.Engagement.Value),
            NotProposedReason = done?.NotProposed?.Reason ?? "",
        };
        if (brief.CeoWeeklyMinutes is { } minutes)
        {
            wire.CeoWeeklyMinutes = minutes;
        }

        if (brief.ContactTitle is { } title)
        {
            var person = people(intake.Contact);
            wire.Contact = new V1.Intake.Types.Contact { DisplayName = person.DisplayName, Email = person.Email ?? "", Title = title };
        }

        return wire;
    }

    private static MustHaves Must(string path, V1.MustHaves? wire, Fields fields) => wire is null ? MustHaves.None : new MustHaves(
        ExpertiseWire.Words($"{path}.specialisms", wire.Specialisms, fields),
        ExpertiseWire.Words($"{path}.industries", wire.Industries, fields),
        ExpertiseWire.Languages($"{path}.languages", wire.Languages, fields),
        fields.Number($"{path}.years_leading", wire.YearsLeading, 0, CmoExpertise.MostYears, "years"),
        wire.WorkMode);

    /// <summary>0 is not said.</summary>
    private static int? Said(string path, int value, int most, string unit, Fields fields) => value == 0 ? null : fields.Number(path, value, 1, most, unit);
}
