using AgencyPlatform.Client;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Protocol.Events.V1;

namespace AgencyPlatform.Samples.FeedListener;

/// <summary>Tells each event of an agency once and in order: as the stream brings it, and what the stream left out as the feed has it.</summary>
/// <param name="agency"><c>agencies/{agency}</c>.</param>
public sealed class Listener(AgencyPlatformClient platform, string agency, Action<string> tell)
{
    private readonly SemaphoreSlim _one = new(1);
    private string _cursor = "";
    private long _last;

    /// <summary>From where the feed stands now.</summary>
    public Task Begin() => Read(e => _last = e.Sequence);

    public async Task Hear(FeedEvents events)
    {
        await _one.WaitAsync();
        try
        {
            foreach (var e in events.Events)
            {
                if (e.Sequence > _last + 1)
                {
                    await Missed();
                }

                if (e.Sequence == _last + 1)
                {
                    Tell(e.Sequence, e.Type, $"{e.Kind}/{e.AggregateId}", "stream");
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Looks whether the stream has left something out at its end.</summary>
    public async Task Look()
    {
        await _one.WaitAsync();
        try
        {
            await Missed();
        }
        finally
        {
            _one.Release();
        }
    }

    private Task Missed() => Read(e =>
    {
        if (e.Sequence > _last)
        {
            Tell(e.Sequence, e.Type, $"{e.Kind}/{e.AggregateId}", "feed");
        }
    });

    private async Task Read(Action<Event> each)
    {
        ListEventsResponse page;
        do
        {
            page = await platform.Events.ListEventsAsync(new ListEventsRequest { Parent = agency, After = _cursor, PageSize = 1_000 });
            foreach (var e in page.Events)
            {
                each(e);
            }

            _cursor = page.NextCursor;
        }
        while (!page.EndOfFeed);
    }

    private void Tell(long sequence, string type, string aggregate, string by)
    {
        _last = sequence;
        tell($"{sequence} {type} {aggregate} ({by})");
    }
}
