using System.IO.Hashing;
using System.Text;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace AgencyPlatform.Grains.Placement;

/// <summary>Grains of one agency live on one silo: its head row is uncontended and its sagas are local.</summary>
[Serializable, GenerateSerializer, Immutable, SuppressReferenceTracking]
public sealed class AgencyPlacementStrategy : PlacementStrategy;

/// <summary>Places a grain on its agency's silo.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class AgencyPlacementAttribute() : PlacementAttribute(new AgencyPlacementStrategy());

/// <summary>Rendezvous hash of the agency over the silos that host grains: a silo that joins or goes moves only its own share.</summary>
internal sealed class AgencyPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) => Task.FromResult(
        Home(AggregateKey.AgencyOf(target.GrainIdentity.Key.ToString()!), context.GetCompatibleSilos(target))
            ?? throw new InvalidOperationException("No silo hosts this grain."));

    /// <summary>Where an agency is at home; null when there is no silo.</summary>
    public static SiloAddress? Home(string agency, IEnumerable<SiloAddress> silos)
    {
        SiloAddress? home = null;
        ulong best = 0;
        foreach (var silo in silos)
        {
            var weight = XxHash64.HashToUInt64(Encoding.UTF8.GetBytes($"{agency}@{silo.ToParsableString()}"));
            if (home is null || weight > best)
            {
                (home, best) = (silo, weight);
            }
        }

        return home;
    }
}
