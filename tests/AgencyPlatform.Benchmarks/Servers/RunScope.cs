namespace AgencyPlatform.Benchmarks.Servers;

/// <summary>A run's own folder and all that it started: in the end everything is stopped, the last first, and the folder deleted.</summary>
internal sealed class RunScope(string data) : IAsyncDisposable
{
    private readonly Stack<object> _kept = new();

    public DirectoryInfo Folder { get; } = Directory.CreateDirectory(Path.Combine(Path.GetFullPath(data), $"run-{Environment.ProcessId}"));

    public T Keep<T>(T disposable) where T : class
    {
        _kept.Push(disposable);
        return disposable;
    }

    /// <summary>Stops what was kept so far; the folder stays.</summary>
    public async Task Stop()
    {
        while (_kept.TryPop(out var disposable))
        {
            if (disposable is IAsyncDisposable later)
            {
                await later.DisposeAsync();
            }
            else
            {
                ((IDisposable)disposable).Dispose();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        Folder.Delete(recursive: true);
    }
}
