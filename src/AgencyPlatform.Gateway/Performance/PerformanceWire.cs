using AgencyPlatform.Domain.Performance;
using V1 = AgencyPlatform.Protocol.Performance.V1;

namespace AgencyPlatform.Gateway.Performance;

/// <summary>Scorecards, their values and results, from and to the wire.</summary>
internal static class PerformanceWire
{
    internal const string Collection = "scorecards";

    // ---- from the wire ----

    /// <summary>The first day of a month.</summary>
    public static LocalDate Month(this Fields fields, string path, Google.Type.Date? date)
    {
        var day = fields.Date(path, date);
        fields.Require(fields.Has(path) || day.Day == 1, path, $"must be the first day of a month; it is {day:uuuu-MM-dd}");
        return day;
    }

    /// <summary>A number, or an amount of money; null: absent.</summary>
    public static KpiNumber? Number(this Fields fields, string path, V1.KpiNumber? wire)
    {
        switch (wire?.ValueCase)
        {
            case null or V1.KpiNumber.ValueOneofCase.None:
                return null;
            case V1.KpiNumber.ValueOneofCase.Amount:
                var money = fields.Money(path + ".amount", wire.Amount, -Money.MostMinor);
                return money.Currency.Code is null ? null : KpiNumber.Of(money);
            default:
                if (DecimalText.Read(wire.Number) is var (unscaled, scale))
                {
                    return new KpiNumber(unscaled, scale, null);
                }

                fields.Add(path + ".number", "must be a decimal such as 12.5: at most 15 digits, 6 of them behind the point");
                return null;
        }
    }

    public static Kpi Definition(this Fields fields, string path, V1.Kpi wire)
    {
        var unit = fields.Enum<V1.KpiUnit, KpiUnit>(path + ".unit", wire.Unit);
        Currency? currency = null;
        if (unit == KpiUnit.Money && !fields.Has(path + ".unit"))
        {
            currency = fields.Currency(path + ".currency", wire.Currency);
            fields.Require(wire.Decimals == 0, path + ".decimals", "must be left out: an amount has its currency's");
        }
        else
        {
            fields.Require(wire.Currency.Length == 0, path + ".currency", "must be left out unless the unit is money");
            fields.Number(path + ".decimals", wire.Decimals, 0, Kpi.MostDecimals);
        }

        var formula = fields.LongText(path + ".formula", wire.Formula, Formula.MostLength).Trim();
        fields.Require(!wire.ByChannel || formula.Length == 0, path + ".by_channel", "must be left out of a KPI with a formula");
        return new Kpi(
            fields.Id<KpiId>(path + ".kpi_id", wire.KpiId), fields.Text(path + ".display_name", wire.DisplayName, Scorecard.LongestName), unit, currency is { } money && !fields.Has(path + ".currency") ? money.Decimals : wire.Decimals, currency,
            fields.Enum<V1.KpiDirection, KpiDirection>(path + ".direction", wire.Direction), formula, wire.ByChannel);
    }

    public static KpiEntry Entry(this Fields fields, string path, V1.KpiEntry wire)
    {
        var number = fields.Number(path + ".value", wire.Value);
        fields.Require(wire.Value is { ValueCase: not V1.KpiNumber.ValueOneofCase.None }, path + ".value", "is required: a number, or an amount");
        fields.Require(wire.Channel.Length == 0 || IdSyntax.IsValid(wire.Channel), path + ".channel", $"must be {IdSyntax.Rule}");
        return new KpiEntry(
            fields.Id<KpiId>(path + ".kpi_id", wire.KpiId), fields.Month(path + ".month", wire.Month), wire.Channel, number ?? default,
            wire.Attribution == V1.AttributionRule.Unspecified ? AttributionRule.Unstated : fields.Enum<V1.AttributionRule, AttributionRule>(path + ".attribution", wire.Attribution),
            fields.LongText(path + ".reason", wire.Reason, Scorecard.LongestText));
    }

    // ---- to the wire ----

    public static V1.Scorecard ToWire(AgencyId agency, Reply<Scorecard> reply)
    {
        var (s, meta) = reply.OrThrow();
        return new V1.Scorecard
        {
            Name = ResourceNames.Of(agency, Collection, s.Engagement.Value),
            Uid = meta.Uid.ToString(),
            Etag = Etags.Of(meta),
            Version = meta.Version,
            CreateTime = meta.CreatedAt.ToWire(),
            UpdateTime = meta.UpdatedAt.ToWire(),
            Engagement = ResourceNames.Of(agency, "engagements", s.Engagement.Value),
            ClientCompany = ResourceNames.Of(agency, "clientCompanies", s.Client.Value),
            TimeZone = s.TimeZone,
            Currency = s.Currency.Code,
            Kpis = { s.Kpis.Values.Select(k => ToWire(k)) },
            Targets = { s.Targets.SelectMany(t => t.Value.Select(target => ToWire(s.Kpis[t.Key], target))) },
            ClosedThrough = s.OpenFrom?.PlusMonths(-1).ToWire(),
            Commitments = { s.Commitments.Values.Select(c => ToWire(agency, s.Engagement, c)) },
            Pulses = { s.Pulses.Values.Select(p => new V1.Pulse { Quarter = p.Quarter.ToWire(), Score = p.Score, Sentence = p.Sentence, GiveTime = p.At.ToWire() }) },
        };
    }

    public static V1.Commitment ToWire(AgencyId agency, EngagementId engagement, Commitment c) => new()
    {
        Name = ResourceNames.Of(agency, Collection, engagement.Value, "commitments", c.Id.Value),
        Text = c.Text,
        Owner = c.Owner,
        DueDate = c.Due.ToWire(),
        State = c.State.ToWire<V1.CommitmentState>(),
        KpiId = c.Kpi?.Value ?? "",
        Month = c.Month?.ToWire(),
        Note = c.Note,
    };

    public static V1.KpiNumber ToWire(Kpi kpi, long value) => kpi.Currency is { } currency
        ? new V1.KpiNumber { Amount = new Money(value, currency).ToWire() }
        : new V1.KpiNumber { Number = DecimalText.Of(value, kpi.Decimals) };

    public static V1.KpiNumber? ToWire(Kpi kpi, long? value) => value is { } known ? ToWire(kpi, known) : null;

    public static V1.KpiValue ToWire(Scorecard s, string key)
    {
        var (id, month, channel) = Scorecard.Parts(key);
        var (kpi, recorded) = (s.Kpis[id], s.Values[key]);
        return new V1.KpiValue
        {
            KpiId = id.Value,
            Month = month.ToWire(),
            Channel = channel,
            Current = ToWire(kpi, recorded[^1]),
            Earlier = { recorded[..^1].Select(r => ToWire(kpi, r)) },
        };
    }

    public static V1.NoValue ToWire(this NoValue why) => why == NoValue.None ? V1.NoValue.Unspecified : ((Enum)why).ToWire<V1.NoValue>();

    public static V1.ResultsSummary ToWire(ResultsOf r, Currency currency)
    {
        return new V1.ResultsSummary
        {
            Channels =
            {
                r.Channels.Select(c => new V1.ChannelSpend
                {
                    Channel = c.Channel,
                    Budget = Amount(c.Budget),
                    Spend = Amount(c.Spend),
                    Left = Amount(c.Budget - c.Spend),
                }),
            },
            Budget = Amount(r.Budget),
            Spend = Amount(r.Spend),
            Fees = { r.Fees.Select(f => f.ToWire()) },
            AttributedRevenue = Amount(r.Revenue),
            Attributions = { r.Attributions.Select(a => ToWire(a)) },
            RoiPercent = r.RoiPercent.Value is { } percent ? DecimalText.Of(percent, 2) : "",
            RoiNoValue = r.RoiPercent.Why.ToWire(),
        };

        Protocol.Type.V1.Money? Amount(long? minor) => minor is { } known ? new Money(known, currency).ToWire() : null;
    }

    public static V1.KpiResult ToWire(KpiResult r)
    {
        var wire = new V1.KpiResult
        {
            KpiId = r.Kpi.Id.Value,
            Value = ToWire(r.Kpi, r.Outcome.Value),
            NoValue = r.Outcome.Why.ToWire(),
            Target = ToWire(r.Kpi, r.Target?.Target),
            Benchmark = ToWire(r.Kpi, r.Target?.Benchmark),
        };
        if (r.OnTarget is { } on)
        {
            wire.OnTarget = on;
        }

        return wire;
    }

    public static V1.AttributionRule ToWire(AttributionRule rule) => rule == AttributionRule.Unstated ? V1.AttributionRule.Unspecified : ((Enum)rule).ToWire<V1.AttributionRule>();

    private static V1.Kpi ToWire(Kpi k) => new()
    {
        KpiId = k.Id.Value,
        DisplayName = k.DisplayName,
        Unit = k.Unit.ToWire<V1.KpiUnit>(),
        Decimals = k.Unit == KpiUnit.Money ? 0 : k.Decimals,
        Currency = k.Currency?.Code ?? "",
        Direction = k.Direction.ToWire<V1.KpiDirection>(),
        Formula = k.Formula,
        ByChannel = k.ByChannel,
        BuiltIn = k.BuiltIn,
    };

    private static V1.KpiTarget ToWire(Kpi kpi, KpiTarget t) => new()
    {
        KpiId = kpi.Id.Value,
        Month = t.From.ToWire(),
        Target = ToWire(kpi, t.Target),
        Benchmark = ToWire(kpi, t.Benchmark),
        TolerancePercent = Wire.Percent(t.TolerancePpm),
        Owner = t.Owner,
        DueDays = t.DueDays,
    };

    private static V1.RecordedValue ToWire(Kpi kpi, RecordedValue r) => new()
    {
        Value = ToWire(kpi, r.Value),
        Attribution = ToWire(r.Attribution),
        Reason = r.Reason,
        RecordTime = r.At.ToWire(),
    };
}
