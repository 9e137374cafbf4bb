namespace AgencyPlatform.Faults;

/// <summary>What an upgrade does. Beside the load, callers with the client library's default repeats: none of their calls may fail.</summary>
internal class RollingRestart : Fault
{
    private const int Agencies = 3;
    private ConstantLoad? _callers;

    public override string Name => "rolling-restart";

    public override string What => "SIGTERM to one process after the other, silos first, each started again and serving before the next; callers with the client library's default repeats see no failed call.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(10);

    public override async Task Strike(Scene scene, int time)
    {
        var cluster = scene.Cluster;
        _callers = await ConstantLoad.Prepare(cluster, Agencies);
        _callers.Start();
        await _callers.Answered(times: 5);
        for (var i = 0; i < cluster.Silos.Length; i++)
        {
            Ended(scene, cluster.Silos[i], await cluster.Silos[i].Terminate());
            await cluster.StartSilo(i);
        }

        for (var i = 0; i < cluster.Gateways.Length; i++)
        {
            Ended(scene, cluster.Gateways[i], await cluster.Gateways[i].Terminate());
            await cluster.StartGateway(i);
        }
    }

    public override async Task Judge(Scene scene)
    {
        using var callers = _callers!;
        await callers.Stop();
        foreach (var failed in callers.Failed.Concat(await callers.Differences()))
        {
            scene.Wrong(failed);
        }

        scene.Note($"{callers.Acknowledged} calls through the client library with its default repeats, {callers.Failed.Count} failed");
    }

    private static void Ended(Scene scene, Member member, int code)
    {
        if (code != 0)
        {
            scene.Wrong($"{member.Name} ended with {code} after SIGTERM");
        }
    }
}
