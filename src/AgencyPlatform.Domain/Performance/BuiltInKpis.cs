using System.Collections.Immutable;

namespace AgencyPlatform.Domain.Performance;

/// <summary>The KPIs that every scorecard has. Source: domain §6, docs/performance.md.</summary>
public static class BuiltInKpis
{
    public static readonly KpiId QualifiedLeads = new("qualified-leads");
    public static readonly KpiId SignUps = new("sign-ups");
    public static readonly KpiId NewCustomers = new("new-customers");
    public static readonly KpiId Budget = new("budget");
    public static readonly KpiId Spend = new("spend");
    public static readonly KpiId AttributedRevenue = new("attributed-revenue");
    public static readonly KpiId Mrr = new("mrr");
    public static readonly KpiId LeadConversion = new("lead-conversion");
    public static readonly KpiId LeadToCustomer = new("lead-to-customer");
    public static readonly KpiId CostPerLead = new("cost-per-lead");

    /// <param name="currency">Of their money.</param>
    public static ImmutableArray<Kpi> All(Currency currency) =>
    [
        Count(QualifiedLeads, "Qualified leads"),
        Count(SignUps, "Sign-ups or appointments"),
        Count(NewCustomers, "New customers"),
        Amount(currency, Budget, "Budget by channel", KpiDirection.LowerIsBetter, byChannel: true),
        Amount(currency, Spend, "Spend by channel", KpiDirection.LowerIsBetter, byChannel: true),
        Amount(currency, AttributedRevenue, "Revenue attributed to marketing", KpiDirection.HigherIsBetter),
        Amount(currency, Mrr, "Monthly recurring revenue (MRR)", KpiDirection.HigherIsBetter),
        Share(LeadConversion, "Lead conversion", "sign_ups / qualified_leads * 100"),
        Share(LeadToCustomer, "Lead to customer", "new_customers / qualified_leads * 100"),
        Amount(currency, CostPerLead, "Cost per lead", KpiDirection.LowerIsBetter, "spend / qualified_leads"),
    ];

    private static Kpi Count(KpiId id, string name) => new(id, name, KpiUnit.Number, 0, null, KpiDirection.HigherIsBetter, "", false, BuiltIn: true);

    private static Kpi Share(KpiId id, string name, string formula) => new(id, name, KpiUnit.Percent, 2, null, KpiDirection.HigherIsBetter, formula, false, BuiltIn: true);

    private static Kpi Amount(Currency currency, KpiId id, string name, KpiDirection direction, string formula = "", bool byChannel = false) =>
        new(id, name, KpiUnit.Money, currency.Decimals, currency, direction, formula, byChannel, BuiltIn: true);
}
