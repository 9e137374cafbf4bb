using System.Globalization;
using AgencyPlatform.LoadTest.Checking;
using AgencyPlatform.LoadTest.Scenarios;
using Grpc.Core;

namespace AgencyPlatform.LoadTest.Load;

/// <summary>
/// Makes the agencies of a scenario, many at the same time, and goes on where an earlier run of the same log ended. Their clients and CMOs are known by
/// number: memory does not grow with them.
/// </summary>
internal sealed class Preparation(Connection connection, Scenario scenario, TimeProvider time)
{
    /// <summary>Calls at the same time, of all agencies together: below what one agency may have at once, and enough to fill the journal's batches.</summary>
    private const int CallsAtATime = 128;

    private const int AgenciesAtATime = 16;

    /// <summary>How many ids an agency may have: one whose key was made and lost with its answer stays behind.</summary>
    private const int MostAttempts = 3;

    /// <param name="named">An agency that is there, with a key of its admin; null: the run makes its own.</param>
    /// <param name="progress">Client companies that are there, and how many there will be.</param>
    public async Task<IReadOnlyList<LoadAgency>> Prepare(FileInfo file, (string Name, string Key)? named, Action<long, long> progress)
    {
        using var gate = new SemaphoreSlim(CallsAtATime);
        var (made, all) = (0L, (long)scenario.AgenciesInAll * scenario.Clients);
        if (named is { } given)
        {
            using var kept = PreparedAgencies.Begin(file, null);
            kept.HasKey(given.Name, given.Key);
            var now = time.GetUtcNow();
            var theirs = new LoadAgency
            {
                Name = given.Name,
                Key = given.Key,
                Own = false,
                FirstMonday = DateOnly.FromDateTime(now.UtcDateTime).Monday().AddDays(21),
                Scenario = scenario,
                Tag = string.Create(CultureInfo.InvariantCulture, $"{now.ToUnixTimeSeconds()}-"),
            };
            await theirs.Fill(connection, gate, Made);
            return [theirs];
        }

        using var prepared = await Resumed(file);
        var agencies = new LoadAgency[scenario.AgenciesInAll];
        await Parallel.ForEachAsync(Enumerable.Range(0, agencies.Length), new ParallelOptions { MaxDegreeOfParallelism = AgenciesAtATime }, async (i, _) =>
        {
            var agency = agencies[i] = await WithKey(prepared, i);
            if (prepared.IsReady(agency.Name))
            {
                await agency.Remember(connection);
                progress(Interlocked.Add(ref made, scenario.Clients), all);
                return;
            }

            await agency.Fill(connection, gate, Made);
            prepared.IsReadyNow(agency.Name);
        });
        return agencies;

        void Made() => progress(Interlocked.Increment(ref made), all);
    }

    /// <summary>What an earlier run left, if it is of the same plan and the service still knows its keys.</summary>
    private async Task<PreparedAgencies> Resumed(FileInfo file)
    {
        var plan = Plan.Of(scenario, connection.Address, time);
        if (PreparedAgencies.GoOn(file, plan) is { } there)
        {
            if (await AreKnown(there))
            {
                return there;
            }

            there.Dispose();
        }

        return PreparedAgencies.Begin(file, plan);
    }

    private async Task<bool> AreKnown(PreparedAgencies there)
    {
        var name = NameOf(there.Plan!, 0, 0);
        if (there.KeyOf(name) is not { } key)
        {
            return true;
        }

        using var platform = connection.As(key, retries: 10);
        try
        {
            await platform.Agencies.GetAgencyAsync(new() { Name = name });
            return true;
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unauthenticated or StatusCode.NotFound)
        {
            // Another database than the one that it was prepared in.
            return false;
        }
    }

    private async Task<LoadAgency> WithKey(PreparedAgencies prepared, int index)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var name = NameOf(prepared.Plan!, index, attempt);
            var key = prepared.KeyOf(name);
            if (key is null)
            {
                key = await LoadAgency.Create(connection.Operator, name, scenario.OverbookingPercent);
                if (key is null)
                {
                    continue;
                }

                prepared.HasKey(name, key);
            }

            return new LoadAgency
            {
                Name = name,
                Key = key,
                Own = true,
                FirstMonday = prepared.Plan!.Monday,
                Scenario = scenario,
                Tag = string.Create(CultureInfo.InvariantCulture, $"a{index}-"),
            };
        }

        throw new CannotJudgeException($"The keys of {NameOf(prepared.Plan!, index, 0)} and its {MostAttempts - 1} substitutes were made and lost: begin with another log.");
    }

    private static string NameOf(Plan plan, int index, int attempt) =>
        string.Create(CultureInfo.InvariantCulture, $"agencies/load-{plan.Stamp}-{index}{(attempt == 0 ? "" : $"-{attempt + 1}")}");
}
