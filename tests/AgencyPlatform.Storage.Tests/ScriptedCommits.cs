using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Storage.Engines;
using AgencyPlatform.Storage.Journal;

namespace AgencyPlatform.Storage.Tests;

/// <summary>Makes items stand in one batch, and loses the connection at the commits that a test chooses.</summary>
internal sealed class ScriptedCommits(EngineDatabase engine) : CommitHook
{
    private readonly List<int> _sizes = [];
    private TaskCompletionSource? _entered;
    private TaskCompletionSource _go = new();
    private Func<int, Loss> _losses = _ => Loss.None;
    private Loss _loss;
    private int _place;

    /// <summary>How many commits were tried, repeats included.</summary>
    public int Commits => _sizes.Count;

    /// <param name="plug">An item that holds the writer until all others wait.</param>
    /// <param name="losses">By the number of the commit, from 1.</param>
    public async Task<AppendResult[]> InOneBatch(IJournal journal, AppendItem plug, AppendItem[] items, Func<int, Loss> losses, int place = 0)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (_go, _losses, _place, _loss) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), losses, place, Loss.None);
        _sizes.Clear();
        _entered = entered;
        var plugged = journal.Append(plug).AsTask();
        await entered.Task;
        var appends = items.Select(i => journal.Append(i).AsTask()).ToArray();
        var refusedAtOnce = appends.Count(a => a.IsCompleted);
        _go.SetResult();
        Assert.IsType<AppendResult.Appended>(await plugged);
        var results = await Task.WhenAll(appends);
        Assert.Equal(items.Length - refusedAtOnce, _sizes[0]);
        return results;
    }

    public override async Task BeforeCommit(Batch batch)
    {
        if (Interlocked.Exchange(ref _entered, null) is { } entered)
        {
            entered.SetResult();
            await _go.Task;
            return;
        }

        _sizes.Add(batch.Works.Count);
        _loss = _losses(_sizes.Count);
        engine.Lose(_loss, _place);
    }

    public override Task AfterCommit(Batch batch)
    {
        engine.Heard(_loss);
        return Task.CompletedTask;
    }
}
