using AgencyPlatform.Client;
using AgencyPlatform.Dashboard.Session;
using AgencyPlatform.Protocol.Events.V1;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace AgencyPlatform.Dashboard.Shared;

/// <summary>
/// A page, or a part of one, that reads from the API and reads again when something happens that concerns it. Events only wake it: what is shown is always what the API answers to this user.
/// </summary>
public abstract class LivePage : ComponentBase, IDisposable
{
    /// <summary>Several events at once are one reading.</summary>
    private static readonly TimeSpan s_gather = TimeSpan.FromMilliseconds(150);

    private readonly CancellationTokenSource _end = new();
    private readonly HashSet<string> _changed = [];
    private ITimer? _soon;
    private bool _loading;

    [Inject]
    protected AgencySession Session { get; set; } = default!;

    [Inject]
    protected LiveFeed Feed { get; set; } = default!;

    [Inject]
    protected ISnackbar Snackbar { get; set; } = default!;

    [Inject]
    protected TimeProvider Clock { get; set; } = default!;

    /// <summary>Whether the first reading is over: until then the page shows that it loads.</summary>
    protected bool Loaded { get; private set; }

    /// <summary>Why the last reading failed; null: it did not.</summary>
    protected Exception? Failure { get; private set; }

    /// <summary>Cancelled when the page is left.</summary>
    protected CancellationToken Left => _end.Token;

    /// <summary>Reads what the page shows.</summary>
    /// <param name="changed">Resource names, or <c>kind/id</c> where an aggregate is no resource, of what changed since the last reading; empty: read everything.</param>
    protected abstract Task Load(IReadOnlySet<string> changed);

    /// <summary>Whether an event can change what the page shows.</summary>
    protected abstract bool Concerns(Event happened);

    protected override async Task OnInitializedAsync()
    {
        Feed.Happened += OnHappened;
        await Reload();
    }

    /// <summary>Reads everything anew: the page asks for something else now.</summary>
    protected Task Reload() => Read(new HashSet<string>());

    /// <summary>Reads as if one thing had changed.</summary>
    protected Task ReadAnew(string changed) => Read(new HashSet<string> { changed });

    /// <summary>Asks the API for a change. A refusal is returned, to be shown where it was asked for; anything else that happens to the page follows from the events.</summary>
    /// <param name="done">What is said when it is done; null: nothing.</param>
    protected async Task<Exception?> Try(Func<Task> change, string? done = null)
    {
        try
        {
            await change();
            if (done is not null)
            {
                Snackbar.Add(done, Severity.Success);
            }

            return null;
        }
        catch (ApiException e)
        {
            return e;
        }
    }

    private async Task Read(IReadOnlySet<string> changed)
    {
        _loading = true;
        try
        {
            await Load(changed);
            Failure = null;
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
        }
        catch (ApiException e)
        {
            Failure = e;
        }
        finally
        {
            _loading = false;
            Loaded = true;
        }

        if (!_end.IsCancellationRequested)
        {
            StateHasChanged();
        }
    }

    private void OnHappened(IReadOnlyList<Event> events)
    {
        lock (_changed)
        {
            foreach (var e in events.Where(Concerns))
            {
                _changed.Add(e.Resource.Length > 0 ? e.Resource : $"{e.Kind}/{e.AggregateId}");
            }

            if (_changed.Count > 0 && !_end.IsCancellationRequested)
            {
                _soon ??= Clock.CreateTimer(_ => _ = InvokeAsync(ReadChanged), null, s_gather, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private async Task ReadChanged()
    {
        HashSet<string> changed;
        lock (_changed)
        {
            _soon?.Dispose();
            _soon = null;
            if (_loading)
            {
                // What is under way may have read before it happened.
                _soon = Clock.CreateTimer(_ => _ = InvokeAsync(ReadChanged), null, s_gather, Timeout.InfiniteTimeSpan);
                return;
            }

            changed = [.. _changed];
            _changed.Clear();
        }

        if (!_end.IsCancellationRequested)
        {
            await Read(changed);
        }
    }

    public virtual void Dispose()
    {
        Feed.Happened -= OnHappened;
        lock (_changed)
        {
            _soon?.Dispose();
        }

        _end.Cancel();
        _end.Dispose();
        GC.SuppressFinalize(this);
    }
}
