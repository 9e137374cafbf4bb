using System.Threading.Channels;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;

namespace AgencyPlatform.Storage.Journal;

/// <summary>Reads fences; those that are asked for while a read is under way share the next one.</summary>
internal sealed class FenceReader : IAsyncDisposable
{
    private const int MaxBatch = 512;
    private readonly Database _database;
    private readonly Channel<Asked> _waiting = Channel.CreateUnbounded<Asked>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _running;

    public FenceReader(Database database)
    {
        _database = database;
        _running = Task.Run(Run);
    }

    public async ValueTask<FenceRead> Read(AggregateKey key, Guid? request)
    {
        var asked = new Asked(key, request);
        if (!_waiting.Writer.TryWrite(asked))
        {
            throw new UnavailableException("The journal is stopping.");
        }

        return await asked.Answer.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _running;
    }

    private async Task Run()
    {
        var batch = new List<Asked>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (batch.Count < MaxBatch && _waiting.Reader.TryRead(out var asked))
            {
                batch.Add(asked);
            }

            try
            {
                var answers = await _database.ReadFences([.. batch.Select(b => (b.Key, b.Request))]);
                for (var i = 0; i < answers.Length; i++)
                {
                    batch[i].Answer.SetResult(answers[i]);
                }
            }
            catch (Exception e)
            {
                foreach (var asked in batch)
                {
                    asked.Answer.TrySetException(e as UnavailableException ?? new UnavailableException($"The journal cannot be read: {e.Message}"));
                }
            }

            batch.Clear();
        }
    }

    private sealed record Asked(AggregateKey Key, Guid? Request)
    {
        public TaskCompletionSource<FenceRead> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
