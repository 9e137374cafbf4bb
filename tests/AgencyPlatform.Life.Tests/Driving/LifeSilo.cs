using AgencyPlatform.Grains.Tests;
using AgencyPlatform.Storage;

namespace AgencyPlatform.Life.Tests.Driving;

/// <summary>The one silo of a run over a file of its own. It can go at any time and come back on the same file; who calls meanwhile waits for it.</summary>
internal sealed class LifeSilo : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-life").FullName;
    private readonly PlatformSilo _silo;
    private TaskCompletionSource<CancellationToken> _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource _gone = new();

    // Few events a snapshot, so that activations begin with one.
    public LifeSilo() => _silo = new PlatformSilo(
        new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" }, eventsPerSnapshot: 24);

    /// <summary>Completes when the silo is there, with what tells that it is gone again: what it was asked meanwhile is not answered any more.</summary>
    public Task<CancellationToken> Up => _up.Task;

    public PlatformSilo Silo => _silo;

    public async Task Start()
    {
        // A call that waits for longer is lost, and repeated.
        await _silo.Start(patience: TimeSpan.FromSeconds(20), quiet: true);
        _up.SetResult(_gone.Token);
    }

    /// <summary>Goes while it is called, soon by force, and comes back.</summary>
    public async Task Restart()
    {
        _up = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _silo.Stop(TimeSpan.FromSeconds(1));
        var gone = _gone;
        _gone = new CancellationTokenSource();
        await gone.CancelAsync();
        gone.Dispose();
        await Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _gone.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
