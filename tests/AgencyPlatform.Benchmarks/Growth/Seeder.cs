using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Benchmarks.Reporting;
using AgencyPlatform.Benchmarks.Servers;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Domain.Agencies;
using AgencyPlatform.Domain.Capacity;
using AgencyPlatform.Domain.Clients;
using AgencyPlatform.Domain.Cmos;
using AgencyPlatform.Grains;
using NodaTime;

namespace AgencyPlatform.Benchmarks.Growth;

/// <summary>
/// Fills a journal as the product would: commands are decided by the domain, folded and turned into items by the grains' own batches, and stored by the journal's
/// own writer; only gRPC and Orleans are left out. What lies next to what on disk differs: a CMO's history comes ten bookings and releases at a time, CMO after
/// CMO, and around again.
/// </summary>
internal sealed class Seeder(IJournal journal, CancellationToken cancellation)
{
    /// <summary>Of the key of each agency's admin.</summary>
    public const string Secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private const int MostUnderWay = 1_024;
    private const int PairsOfVisit = 10;
    private const int StandingMinutes = 150;
    private const string Zone = "America/New_York";
    private static readonly ImmutableSortedDictionary<string, string> s_none = ImmutableSortedDictionary<string, string>.Empty;

    private readonly Queue<ValueTask<AppendResult>> _underWay = new();
    private readonly DateRange _year = Weeks(-1, 104);
    private readonly DateRange _fourWeeks = Weeks(2, 4);
    private long _pairs;
    private DateTimeOffset _said = TimeProvider.System.GetUtcNow();

    /// <summary>Events given to the journal so far.</summary>
    public long Events { get; private set; }

    /// <summary>A key of an agency that it made.</summary>
    public static string KeyOf(string agency) => $"apk_{agency}_admin_{Secret}";

    public async Task Fill(GrowthSize size)
    {
        for (var veteran = 0; veteran < GrowthSize.Veterans; veteran++)
        {
            await Veteran(size, veteran);
        }

        var cmos = new List<CmoState>();
        for (var a = 0; a < size.Agencies; a++)
        {
            var agency = new AgencyId(GrowthSize.Agency(a));
            var policy = (await Agency(agency)).State.Policy;
            for (var c = 0; c < size.ClientsOf(a); c++)
            {
                await Client(agency, c);
            }

            for (var c = 0; c < size.CmosOf(a); c++)
            {
                var cmo = await Cmo(agency, c, policy, Math.Min(GrowthSize.ClientsOfCmo, size.ClientsOf(a) - (c * GrowthSize.ClientsOfCmo)));
                if (size.Events > 0)
                {
                    cmos.Add(cmo);
                }
            }
        }

        for (var i = 0; Events < size.Events; i++)
        {
            await Visit(cmos[i % cmos.Count], PairsOfVisit);
        }

        while (_underWay.TryDequeue(out var append))
        {
            Ensure(await append);
        }
    }

    private async Task Veteran(GrowthSize size, int number)
    {
        var agency = new AgencyId(GrowthSize.Veteran(number));
        var state = await Agency(agency);
        for (var i = 0; i < size.VeteranSettings; i++)
        {
            var settings = state.State.Settings with { DisplayName = $"Veteran, called {i}" };
            state = await Append(Key(agency, "agency", agency.Value), state, [(s, _) => s.Update(new UpdateAgency(settings, null, null))]);
        }

        for (var c = 0; c < (number == 0 ? Math.Max(size.Listed, GrowthSize.ClientsOfAgency) : GrowthSize.ClientsOfAgency); c++)
        {
            await Client(agency, c);
        }

        for (var c = 0; c < GrowthSize.VeteranCmos; c++)
        {
            var cmo = await Cmo(agency, c, state.State.Policy, GrowthSize.ClientsOfCmo);
            while (cmo.Folded.Version < size.LongHistory)
            {
                await Visit(cmo, PairsOfVisit);
            }
        }
    }

    private async Task<Folded<Agency>> Agency(AgencyId id)
    {
        await Append(Key(AgencyListing.Platform, AgencyListing.Kind, id.Value), Folded<AgencyListing>.Initial, [(s, _) => s.List(id)]);
        var create = new CreateAgency(
            id, new AgencySettings($"Agency {id}", Zone, new Currency("USD"), [], s_none, s_none), 0, 0,
            [new LegalEntity(new LegalEntityId("main"), "Agency LLC", "US", Zone, new Currency("USD"), "", "", new InvoiceSeriesId("inv"))], null);
        return await Append(Key(id, Domain.Agencies.Agency.Kind, id.Value), Folded<Agency>.Initial,
        [
            (s, _) => s.Create(create),
            (s, now) => s.CreateApiKey(new CreateApiKey(
                new ApiKey(new ApiKeyId("admin"), "Benchmark", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Secret))), [Role.AgencyAdmin], null, null, now, null, false), now)),
        ]);
    }

    private async Task Client(AgencyId agency, int number)
    {
        var id = new ClientCompanyId(GrowthSize.Client(number));
        var profile = new ClientProfile($"Client {number}", "", "Software", Zone, new BillingDetails("", "", "", "", 30), s_none, s_none);
        await Append(Key(agency, ClientCompany.Kind, id.Value), Folded<ClientCompany>.Initial, [(s, _) => s.Create(new CreateClient(id, profile))]);
    }

    /// <summary>A CMO with a standing booking for each of its clients.</summary>
    private async Task<CmoState> Cmo(AgencyId agency, int number, AgencyPolicy policy, int clients)
    {
        var id = new CmoId(GrowthSize.Cmo(number));
        var create = new CreateCmo(
            id, new CmoProfile(new PersonId(id.Value), "CMO", Zone, s_none, s_none), new PersonDetails($"CMO {number}"), new CmoLimits(GrowthSize.ClientsOfCmo, 0),
            new WorkingPattern(new LocalDate(2025, 1, 6), new WeekdayMinutes(480, 480, 480, 480, 480, 0, 0)), null, null);
        ImmutableArray<ClientFence> fences =
            [.. Enumerable.Range(number * GrowthSize.ClientsOfCmo, clients).Select(c => new ClientFence(new ClientCompanyId(GrowthSize.Client(c)), 1, [], []))];
        var key = Key(agency, FractionalCmo.Kind, id.Value);
        var state = await Append(key, Folded<FractionalCmo>.Initial, [(s, now) => s.Create(create, now)]);
        state = await Append(key, state, [.. fences.Select(Func<FractionalCmo, Instant, Decision> (fence, i) => (s, now) => s.Book(
            new Book(new BookingId($"standing-{i}"), new BookingSpec(fence.Client, null, [new FlexibleStep(_year, StandingMinutes)])),
            new BookingFacts(fence, s.Policy.Version < policy.Version ? policy : null), now))]);
        return new CmoState(key, fences) { Folded = state };
    }

    /// <summary>Books and releases again, for the CMO's clients in turn.</summary>
    private async Task Visit(CmoState cmo, int pairs)
    {
        var commands = new List<Func<FractionalCmo, Instant, Decision>>(2 * pairs);
        for (var i = 0; i < pairs; i++)
        {
            var pair = _pairs++;
            var id = new BookingId($"b{pair % 64}-{1_000_000_000_000 + pair}-{pair % 1_000_000}");
            var fence = cmo.Fences[(int)(pair % cmo.Fences.Length)];
            commands.Add((s, now) => s.Book(new Book(id, new BookingSpec(fence.Client, null, [new FlexibleStep(_fourWeeks, 5)])), new BookingFacts(fence, null), now));
            commands.Add((s, now) => s.Release(id, now));
        }

        cmo.Folded = await Append(cmo.Key, cmo.Folded, commands);
    }

    /// <summary>Decides commands on top of each other and gives their events to the journal, as a grain does with those that come while it writes.</summary>
    private async ValueTask<Folded<T>> Append<T>(AggregateKey key, Folded<T> state, IReadOnlyList<Func<T, Instant, Decision>> commands) where T : class, IState<T>
    {
        cancellation.ThrowIfCancellationRequested();
        var batch = new Batch<T>(state, alone: false);
        var at = TimeProvider.System.GetUtcNow();
        var now = Instant.FromDateTimeOffset(at);
        foreach (var decide in commands)
        {
            var decision = decide(batch.After.State, now);
            if (decision.Rejection is { } rejection)
            {
                throw new BenchmarkException($"A command of {key} was refused while seeding: {rejection.Reason}.");
            }

            var request = Guid.CreateVersion7(at);
            var text = request.ToString("n");
            batch.Add(key, new Call(key.Agency, "key:admin", request, Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text))), TraceId: text), decision, now, TimeProvider.System);
        }

        var item = batch.ToItem(key);
        _underWay.Enqueue(journal.Append(item));
        Events += item.Events.Length;
        if (_underWay.Count >= MostUnderWay)
        {
            Ensure(await _underWay.Dequeue());
        }

        if (at - _said > TimeSpan.FromSeconds(15))
        {
            _said = at;
            Figures.Say($"  {Events:N0} events");
        }

        return batch.After;
    }

    private static void Ensure(AppendResult result)
    {
        if (result is not AppendResult.Appended)
        {
            throw new BenchmarkException($"The journal did not take what was seeded: {result}.");
        }
    }

    private static AggregateKey Key(AgencyId agency, string kind, string id) => new(agency, kind, id);

    private static DateRange Weeks(int from, int count)
    {
        var monday = LocalDate.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).Previous(IsoDayOfWeek.Monday).PlusWeeks(from);
        return new DateRange(monday, monday.PlusWeeks(count));
    }

    private sealed class CmoState(AggregateKey key, ImmutableArray<ClientFence> fences)
    {
        public AggregateKey Key { get; } = key;

        public ImmutableArray<ClientFence> Fences { get; } = fences;

        public required Folded<FractionalCmo> Folded { get; set; }
    }
}
