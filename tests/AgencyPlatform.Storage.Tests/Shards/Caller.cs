using System.Diagnostics;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;

namespace AgencyPlatform.Storage.Tests.Shards;

/// <summary>One who writes a client of its own, one event every 10 ms at most, and repeats each until it is acknowledged.</summary>
internal sealed class Caller(IJournal journal, AgencyId agency, string id)
{
    private readonly List<(int Count, TaskCompletionSource Reached)> _awaited = [];
    private readonly List<NewEvent> _acknowledged = [];
    private volatile bool _stopped;
    private Exception? _failed;

    public AgencyId Agency => agency;

    public string Id => id;

    public PersonId Person => new($"person-{id}");

    /// <summary>Every event that was acknowledged, in order; each with a request id of its own.</summary>
    public IReadOnlyList<NewEvent> Acknowledged => _acknowledged;

    /// <summary>The longest time from the first attempt to the acknowledgement.</summary>
    public TimeSpan Longest { get; private set; }

    /// <summary>How often an attempt was answered that the agency is not to be reached.</summary>
    public int Unavailable { get; private set; }

    public void Stop() => _stopped = true;

    /// <summary>When so many more are acknowledged.</summary>
    public Task More(int count)
    {
        lock (_acknowledged)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((_acknowledged.Count + count, reached));
            if (_failed is { } failed)
            {
                reached.SetException(failed);
            }

            return reached.Task;
        }
    }

    public async Task Run()
    {
        try
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            while (!_stopped)
            {
                await pace.WaitForNextTickAsync();
                var item = Next();
                var began = Stopwatch.GetTimestamp();
                AppendResult result;
                while ((result = await journal.Append(item)) is AppendResult.Unavailable)
                {
                    Unavailable++;
                    await pace.WaitForNextTickAsync();
                }

                // Nobody else writes this client: whatever else is answered is wrong.
                Assert.IsType<AppendResult.Appended>(result);
                var took = Stopwatch.GetElapsedTime(began);
                Longest = took > Longest ? took : Longest;
                lock (_acknowledged)
                {
                    _acknowledged.AddRange(item.Events);
                    _awaited.FindAll(a => a.Count <= _acknowledged.Count).ForEach(a => a.Reached.TrySetResult());
                }
            }
        }
        catch (Exception e)
        {
            lock (_acknowledged)
            {
                _failed = e;
                _awaited.ForEach(a => a.Reached.TrySetException(e));
            }

            throw;
        }
    }

    private AppendItem Next()
    {
        var version = _acknowledged.Count;
        var request = Guid.CreateVersion7();
        if (version == 0)
        {
            return JournalTest.Create(id, request, externalId: $"crm-{id}", agency: agency) with
            {
                Deadline = new DeadlineChange(Several_databases.Due, Sandbox: false),
                People = [new PersonWrite(Person, new PersonDetails($"Person of {id}", null))],
            };
        }

        var item = JournalTest.Update(id, version, $"Name {version} of {id}", $"crm-{id}", $"crm-{id}", agency);
        return item with { Events = [item.Events[0] with { Request = request, RequestHash = "hash", RequestVersion = version + 1 }] };
    }
}
