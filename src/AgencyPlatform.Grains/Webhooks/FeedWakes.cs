using System.Collections.Concurrent;
using System.Threading.Channels;
using AgencyPlatform.Domain.Webhooks;

namespace AgencyPlatform.Grains.Webhooks;

/// <summary>Wakes the webhooks that are active on this silo when it has committed events of their agency. An agency's grains live on one silo, so that this is nearly always the same one.</summary>
internal sealed class FeedWakes
{
    private readonly ConcurrentDictionary<AgencyId, ConcurrentDictionary<ChannelWriter<bool>, byte>> _sleepers = new();

    public FeedWakes(FeedSignal signal) => signal.Committed += Wake;

    public void Add(AgencyId agency, ChannelWriter<bool> sleeper) => _sleepers.GetOrAdd(agency, _ => new())[sleeper] = 0;

    public void Remove(AgencyId agency, ChannelWriter<bool> sleeper) => _sleepers.GetValueOrDefault(agency)?.TryRemove(sleeper, out _);

    private void Wake(IReadOnlyList<StoredEvent> committed)
    {
        if (_sleepers.IsEmpty)
        {
            return;
        }

        foreach (var stored in committed)
        {
            // Of what webhooks record themselves they need not be told.
            if (stored.Key.Kind != Webhook.Kind && _sleepers.TryGetValue(stored.Key.Agency, out var sleepers))
            {
                foreach (var (sleeper, _) in sleepers)
                {
                    sleeper.TryWrite(true);
                }
            }
        }
    }
}
