namespace AgencyPlatform.Contracts.Journal;

/// <summary>Resource names of what events happen to.</summary>
public static class EventResources
{
    /// <summary>The name of an aggregate that is a resource of its own, <c>agencies/acme/cmos/ada</c>; empty: it is none.</summary>
    public static string Of(AggregateKey key) => key.Kind switch
    {
        "agency" => $"agencies/{key.Agency}",
        "client" => $"agencies/{key.Agency}/clientCompanies/{key.Id}",
        "cmo" => $"agencies/{key.Agency}/cmos/{key.Id}",
        "capacity-request" => $"agencies/{key.Agency}/capacityRequests/{key.Id}",
        "engagement" => $"agencies/{key.Agency}/engagements/{key.Id}",
        "timesheet" when key.Id.Split('/') is [var cmo, var week] => $"agencies/{key.Agency}/cmos/{cmo}/timesheets/{week.ToLowerInvariant()}",
        "coaching-programme" => $"agencies/{key.Agency}/coachingProgrammes/{key.Id}",
        "scorecard" => $"agencies/{key.Agency}/scorecards/{key.Id}",
        "intake" => $"agencies/{key.Agency}/intakes/{key.Id}",
        "shortlist" => $"agencies/{key.Agency}/shortlists/{key.Id}",
        "match-weights" => $"agencies/{key.Agency}/matchWeights",
        "webhook" => $"agencies/{key.Agency}/webhooks/{key.Id}",
        _ => "",
    };
}
