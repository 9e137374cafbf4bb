using System.Collections.Immutable;
using System.Globalization;
using NodaTime;

namespace AgencyPlatform.Domain.Agencies;

/// <summary>
/// The tenant: its settings, legal entities, holiday calendars, API keys and, for a sandbox, its clock. Source: domain §1.
/// Everything else of an agency refers to it and never crosses to another.
/// </summary>
/// <param name="Version">How many events are folded in.</param>
/// <param name="Policy">The facts that capacity decisions need, with the version at which they last changed.</param>
/// <param name="Clock">A sandbox's clock; null for an agency that runs on the world's.</param>
/// <param name="Series">What is known of the invoice series of each legal entity; null: of none.</param>
[GenerateSerializer, Immutable, Alias("agency")]
public sealed partial record Agency(
    AgencyId Id,
    long Version,
    AgencySettings Settings,
    AgencyPolicy Policy,
    ImmutableSortedDictionary<LegalEntityId, LegalEntity> LegalEntities,
    ImmutableSortedDictionary<ApiKeyId, ApiKey> ApiKeys,
    Instant? Clock,
    ImmutableSortedDictionary<LegalEntityId, ImmutableSortedDictionary<InvoiceSeriesId, KnownSeries>>? Series = null) : IState<Agency>
{
    public const int MaxLegalEntities = 50;
    public const int MaxLiveApiKeys = 200;
    public const int MaxLiveCalendarLinks = 2_000;
    public const int MaxHolidayCalendars = 100;

    public static string Kind => "agency";

    public static int FoldVersion => 2;

    public static Agency Initial { get; } = new(
        default, 0, new AgencySettings("", "", default, [], ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty),
        AgencyPolicy.None, ImmutableSortedDictionary<LegalEntityId, LegalEntity>.Empty, ImmutableSortedDictionary<ApiKeyId, ApiKey>.Empty, null);

    public bool Exists => Version > 0;

    /// <summary>Nothing of an agency changes by time alone.</summary>
    public Instant? NextDue => null;

    /// <summary>Whether its clock stands still between calls and is moved by its admin. Never changes.</summary>
    public bool IsSandbox => Clock is not null;

    // ---- decisions ----

    public Decision Create(CreateAgency command) =>
        Exists
            ? Rejection.AlreadyExists(Kind, command.Id.Value)
            : Decision.Accept(new AgencyCreated(command.Id, command.Settings, command.OverbookingPercent, command.CoolingOffDays, [.. command.LegalEntities], command.SandboxClock));

    public Decision Update(UpdateAgency command)
    {
        if (!Exists)
        {
            return NotFound();
        }

        var events = ImmutableArray.CreateBuilder<IEvent>();
        var settings = command.Settings ?? Settings;
        if (!settings.SameAs(Settings))
        {
            events.Add(new AgencySettingsChanged(settings));
        }

        var percent = command.OverbookingPercent ?? Policy.OverbookingPercent;
        var days = command.CoolingOffDays ?? Policy.CoolingOffDays;
        if (percent != Policy.OverbookingPercent || days != Policy.CoolingOffDays)
        {
            events.Add(new AgencyLimitsChanged(percent, days));
        }

        return Decision.Accept(events.ToImmutable());
    }

    /// <summary>Adds a legal entity, or changes one's names, address and numbers. Currency and zone stand: books are kept in them.</summary>
    /// <param name="imported">The numbers of the legal entity's imported invoices.</param>
    public Decision PutLegalEntity(PutLegalEntity command, ImmutableArray<string> imported, Instant now)
    {
        if (!Exists)
        {
            return NotFound();
        }

        var entity = command.LegalEntity;
        if (!LegalEntities.TryGetValue(entity.Id, out var known))
        {
            return command.Create is false
                ? Rejection.NotFound("legal_entity", entity.Id.Value)
                : LegalEntities.Count >= MaxLegalEntities
                    ? Rejection.Rule(Reasons.TooManyLegalEntities, $"An agency has at most {MaxLegalEntities} legal entities.", ("maximum", Text(MaxLegalEntities)))
                    : RefusedDefault(entity, imported, now) is { } refused ? refused
                    : Decision.Accept(new LegalEntityPut(entity));
        }

        if (command.Create is true)
        {
            return Rejection.AlreadyExists("legal_entity", entity.Id.Value);
        }

        if (known.Currency != entity.Currency || known.TimeZone != entity.TimeZone)
        {
            var field = known.Currency != entity.Currency ? "currency" : "time_zone";
            return Rejection.Rule(
                Reasons.LegalEntityFixed,
                $"The {field} of the legal entity {entity.Id} stands; for another, create another legal entity.",
                ("legal_entity", entity.Id.Value), ("field", field));
        }

        return known == entity ? Decision.Nothing : RefusedDefault(entity, imported, now) is { } clash ? clash : Decision.Accept(new LegalEntityPut(entity));
    }

    /// <summary>Sets the days off of a region, whole. CMOs learn it with their next command, through the policy's version.</summary>
    public Decision SetHolidayCalendar(SetHolidayCalendar command)
    {
        if (!Exists)
        {
            return NotFound();
        }

        if (Policy.HolidayCalendars.TryGetValue(command.Region, out var known))
        {
            return known.SetEquals(command.Days) ? Decision.Nothing : Decision.Accept(new HolidayCalendarSet(command.Region, [.. command.Days.Order()]));
        }

        return Policy.HolidayCalendars.Count >= MaxHolidayCalendars
            ? Rejection.Rule(Reasons.TooManyHolidayCalendars, $"An agency has at most {MaxHolidayCalendars} holiday calendars.", ("maximum", Text(MaxHolidayCalendars)))
            : Decision.Accept(new HolidayCalendarSet(command.Region, [.. command.Days.Order()]));
    }

    /// <summary>Only the hash of a key's secret comes here: the secret is made and shown once by the gateway.</summary>
    public Decision CreateApiKey(CreateApiKey command)
    {
        if (!Exists)
        {
            return NotFound();
        }

        if (ApiKeys.ContainsKey(command.Key.Id))
        {
            return Rejection.AlreadyExists("api_key", command.Key.Id.Value);
        }

        if (command.Key.ExpiresAt <= command.SystemNow)
        {
            return Rejection.Invalid(new FieldViolation("api_key.expire_time", "must be in the future"));
        }

        var live = ApiKeys.Values.Where(k => !k.Revoked && (k.ExpiresAt is not { } expires || expires > command.SystemNow)).ToList();
        if (command.HandOver && live.Any(k => k.Roles.Contains(Role.AgencyAdmin)))
        {
            return Rejection.Rule(Reasons.AdminExists, $"The agency {Id} has an admin's key: only its admin makes others.", ("agency", Id.Value));
        }

        if (command.Key.IsCalendarLink)
        {
            return live.Count(k => k.IsCalendarLink) >= MaxLiveCalendarLinks
                ? Rejection.Rule(Reasons.TooManyCalendarLinks, $"An agency has at most {MaxLiveCalendarLinks} live calendar links: revoke one first.", ("maximum", Text(MaxLiveCalendarLinks)))
                : Decision.Accept(new ApiKeyCreated(command.Key));
        }

        return live.Count(k => !k.IsCalendarLink) >= MaxLiveApiKeys
            ? Rejection.Rule(Reasons.TooManyApiKeys, $"An agency has at most {MaxLiveApiKeys} live API keys: revoke one first.", ("maximum", Text(MaxLiveApiKeys)))
            : Decision.Accept(new ApiKeyCreated(command.Key));
    }

    /// <summary>Takes effect everywhere within 30 seconds, for which a gateway may remember that the key was good.</summary>
    public Decision RevokeApiKey(RevokeApiKey command) =>
        !ApiKeys.TryGetValue(command.Id, out var key) ? Rejection.NotFound("api_key", command.Id.Value)
        : key.Revoked ? Decision.Nothing
        : Decision.Accept(new ApiKeyRevoked(command.Id));

    /// <summary>Moves a sandbox's clock. What is due on the way is settled by the grain, before the clock passes it.</summary>
    public Decision AdvanceClock(Instant to)
    {
        if (!Exists)
        {
            return NotFound();
        }

        if (Clock is not { } clock)
        {
            return Rejection.Rule(Reasons.NotASandbox, "The agency is no sandbox: its clock is the world's.");
        }

        return to < clock
            ? Rejection.Rule(
                Reasons.ClockOnlyForward, $"The sandbox's clock stands at {clock} and only moves forward; {to} is past.", ("clock", clock.ToString()), ("to", to.ToString()))
            : to == clock ? Decision.Nothing
            : Decision.Accept(new SandboxClockAdvanced(to));
    }

    // ---- questions ----

    /// <summary>The key of which this is the secret's SHA-256, or null: unknown, revoked, or another secret. Its expiry is the caller's to judge, by the system's clock.</summary>
    public ApiKey? Authenticate(ApiKeyId id, ReadOnlySpan<byte> secretHash) =>
        ApiKeys.TryGetValue(id, out var key) && !key.Revoked
        && System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(Convert.FromHexString(key.SecretHash), secretHash)
            ? key
            : null;

    // ---- fold ----

    public Agency Apply(IEvent @event)
    {
        var next = this with { Version = Version + 1 };
        return @event switch
        {
            AgencyCreated e => next with
            {
                Id = e.Id,
                Settings = e.Settings,
                Policy = new AgencyPolicy(next.Version, e.OverbookingPercent, e.CoolingOffDays, ImmutableSortedDictionary<string, ImmutableSortedSet<LocalDate>>.Empty),
                LegalEntities = e.LegalEntities.ToImmutableSortedDictionary(x => x.Id, x => x),
                Clock = e.SandboxClock,
                Series = e.LegalEntities.Aggregate(Series, WithDefault),
            },
            AgencySettingsChanged e => next with { Settings = e.Settings },
            AgencyLimitsChanged e => next with { Policy = Policy with { Version = next.Version, OverbookingPercent = e.OverbookingPercent, CoolingOffDays = e.CoolingOffDays } },
            LegalEntityPut e => next with { LegalEntities = LegalEntities.SetItem(e.LegalEntity.Id, e.LegalEntity), Series = WithDefault(Series, e.LegalEntity) },
            InvoiceSeriesSet e => next with { Series = With(Series, e.LegalEntity, e.Series, s => s with { Format = e.Format }) },
            InvoiceSeriesUsed e => next with { Series = With(Series, e.LegalEntity, e.Series, s => s with { InUse = true }) },
            HolidayCalendarSet e => next with { Policy = Policy with { Version = next.Version, HolidayCalendars = Policy.HolidayCalendars.SetItem(e.Region, [.. e.Days]) } },
            ApiKeyCreated e => next with { ApiKeys = ApiKeys.SetItem(e.Key.Id, e.Key) },
            ApiKeyRevoked e => next with { ApiKeys = ApiKeys.SetItem(e.Id, ApiKeys[e.Id] with { Revoked = true }) },
            SandboxClockAdvanced e => next with { Clock = e.To },
            NothingChanged => next,
            _ => throw new InvalidOperationException($"An agency does not know {@event.GetType().Name}."),
        };
    }

    public ImmutableArray<IEvent> Settle(Instant now) => [];

    /// <summary>An agency has no lists of its own within the tenant; the platform's list of agencies is <see cref="AgencyListing"/>.</summary>
    public IEnumerable<RowChange> Project(IEvent @event, EventInfo info) => [];

    private Rejection NotFound() => Rejection.NotFound(Kind, "");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
