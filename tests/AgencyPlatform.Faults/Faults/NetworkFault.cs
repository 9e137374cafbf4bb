using AgencyPlatform.Faults.Networks;

namespace AgencyPlatform.Faults;

/// <summary>
/// Something between processes that are each in a network namespace of their own. It lasts while the load is looked at: the bound holds while the
/// network is still cut. Then it is mended, and a silo that was voted out is started again, as a supervisor would.
/// </summary>
internal abstract class NetworkFault : Fault
{
    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_toEnd = TimeSpan.FromSeconds(60);

    /// <summary>The silo that must learn that it was voted out, and end itself; null: none may be.</summary>
    protected virtual int? VotedOut => null;

    public override async Task<Cluster> Start(string folder, Engine engine) => await Cluster.Start(folder, engine, surroundings: await Apart.Make());

    public override Task Strike(Scene scene, int time)
    {
        if (VotedOut is { } i)
        {
            scene.Cluster.Silos[i].MayEnd();
        }

        return Break(((Apart)scene.Cluster.Surroundings).Network);
    }

    public override async Task Mend(Scene scene, int time)
    {
        await Task.Delay(s_lasts, TimeProvider.System);
        var network = ((Apart)scene.Cluster.Surroundings).Network;
        if (network.Slowed is { Late: > 0 } slowed)
        {
            scene.Note($"{slowed.Late} packets were late, {slowed.Lost} were lost");
        }

        await network.Heal();
        if (VotedOut is not { } i)
        {
            return;
        }

        try
        {
            await scene.Cluster.Silos[i].Ended(s_toEnd);
            scene.Note($"{scene.Cluster.Silos[i].Name} learned that it was voted out, and ended; it was started again");
            await scene.Cluster.StartSilo(i);
        }
        catch (TimeoutException)
        {
            scene.Wrong($"{scene.Cluster.Silos[i].Name} was cut from the others and lives on {s_toEnd.TotalSeconds:N0} s after");
        }
    }

    protected abstract Task Break(Network network);
}

/// <summary>A partition in which both sides still have the database.</summary>
internal sealed class SiloCutFromSilos : NetworkFault
{
    public override string Name => "silo-cut-from-silos";

    public override string What => "One silo is cut from the other two, in network namespaces; gateways and PostgreSQL still hear all three. They vote it out; it reads so in the database and ends itself.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(25);

    protected override int? VotedOut => 0;

    protected override async Task Break(Network network)
    {
        await network.Cut("silo-0", "silo-1");
        await network.Cut("silo-0", "silo-2");
    }
}

/// <summary>A machine whose cable is pulled.</summary>
internal sealed class SiloCutOff : NetworkFault
{
    public override string Name => "silo-cut-off";

    public override string What => "One silo is cut from everything: silos, gateways, PostgreSQL. Once it is back it reads that it was voted out, and ends itself.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(25);

    protected override int? VotedOut => 1;

    protected override async Task Break(Network network)
    {
        foreach (var other in new[] { "silo-0", "silo-2", "gateway-0", "gateway-1", Network.Here })
        {
            await network.Cut("silo-1", other);
        }
    }
}

/// <summary>A partition that no silo sees.</summary>
internal sealed class GatewayCutFromSilo : NetworkFault
{
    public override string Name => "gateway-cut-from-silo";

    public override string What => "One of two gateways is cut from one silo; the silos hear each other, so nobody is voted out. What that gateway cannot reach it answers UNAVAILABLE; the client's repeat goes to the other.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(20);

    protected override Task Break(Network network) => network.Cut("gateway-0", "silo-2");
}

/// <summary>A bad network.</summary>
internal sealed class SlowNetwork : NetworkFault
{
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_most = TimeSpan.FromMilliseconds(150);

    public override string Name => "slow-network";

    public override string What => "Between silos, and from gateways to one of them, every packet takes 50 to 150 ms each way, so that they overtake each other, and one in a hundred is lost. Nobody is voted out.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(20);

    protected override async Task Break(Network network)
    {
        foreach (var (one, other) in new[] { ("silo-0", "silo-1"), ("silo-0", "silo-2"), ("silo-1", "silo-2"), ("gateway-0", "silo-1"), ("gateway-1", "silo-1") })
        {
            await network.Slow(one, other, s_least, s_most, loss: 0.01);
        }
    }
}
