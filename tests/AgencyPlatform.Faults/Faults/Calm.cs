namespace AgencyPlatform.Faults;

/// <summary>Nothing goes wrong for a long time: nobody may take a process that lives for dead.</summary>
internal sealed class Calm(TimeSpan length, Action<string> say) : Fault
{
    public const string Title = "calm";

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(30);

    public override string Name => Title;

    public override string What => $"Nothing for {length.TotalMinutes:0.#} minutes, in which no process may be taken for dead.";

    public override TimeSpan Bound => TimeSpan.FromSeconds(5);

    public override async Task Strike(Scene scene, int time)
    {
        var begin = TimeProvider.System.GetUtcNow();
        using var tick = new PeriodicTimer(s_look < length ? s_look : length);
        while (TimeProvider.System.GetUtcNow() - begin < length && await tick.WaitForNextTickAsync())
        {
            var heard = await scene.Cluster.Heard();
            await scene.Load.Calls.Until(TimeSpan.Zero, _ => true);
            say($"{(TimeProvider.System.GetUtcNow() - begin).TotalSeconds:N0} s: {heard} of {scene.Cluster.Silos.Length} silos are members and said so of late; {scene.Load.Calls.Successes(begin).Sum():N0} calls succeeded; load of the machine {Kills.Machine()}");
            if (heard != scene.Cluster.Silos.Length)
            {
                scene.Wrong($"{heard} of {scene.Cluster.Silos.Length} silos were members after {(TimeProvider.System.GetUtcNow() - begin).TotalSeconds:N0} s");
            }
        }
    }
}
