using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace AgencyPlatform.Storage.Membership;

/// <summary>
/// A silo joins only when it reaches every member that the table calls active, and a process that was killed is called so until somebody has
/// voted it out. Where nobody else is left to vote (one process, killed and started again on another port) the one that joins would wait for
/// minutes. So while it joins, it declares dead who surely is: a member at this silo's own address whose port refuses connections, or one that
/// can neither be connected to nor has told of itself for as long as makes a member stale.
/// </summary>
internal sealed partial class DepartedMembers(
    IMembershipTable table, ILocalSiloDetails local, IOptions<ClusterMembershipOptions> options, TimeProvider clock, ILogger<DepartedMembers> log) : ILifecycleParticipant<ISiloLifecycle>
{
    private static readonly TimeSpan s_round = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _joined = new();
    private Task _looking = Task.CompletedTask;

    public void Participate(ISiloLifecycle lifecycle)
    {
        // Between the announcement that this silo is joining and the check that it reaches everybody.
        lifecycle.Subscribe(nameof(DepartedMembers), ServiceLifecycleStage.AfterRuntimeGrainServices + 1, Begin, _ => Task.CompletedTask);
        lifecycle.Subscribe(nameof(DepartedMembers), ServiceLifecycleStage.Active, _ => End(), _ => End());
    }

    private async Task Begin(CancellationToken cancellation)
    {
        await Look();
        _looking = Rounds();
    }

    private async Task End()
    {
        await _joined.CancelAsync();
        await _looking;
    }

    private async Task Rounds()
    {
        using var rounds = new PeriodicTimer(s_round, clock);
        try
        {
            while (await rounds.WaitForNextTickAsync(_joined.Token))
            {
                await Look();
            }
        }
        catch (OperationCanceledException)
        {
            // Joined.
        }
    }

    private async Task Look()
    {
        try
        {
            var stale = options.Value.IAmAliveTablePublishTimeout * options.Value.NumMissedTableIAmAliveLimit;
            foreach (var (entry, _) in (await table.ReadAllAsync(_joined.Token)).Members)
            {
                if (entry.SiloAddress.Equals(local.SiloAddress) || entry.Status == SiloStatus.Dead)
                {
                    continue;
                }

                var heard = entry.IAmAliveTime > entry.StartTime ? entry.IAmAliveTime : entry.StartTime;
                var (connects, refuses) = await Knock(entry.SiloAddress);
                var here = entry.SiloAddress.Endpoint.Address.Equals(local.SiloAddress.Endpoint.Address);
                if ((refuses && here) || (!connects && clock.GetUtcNow().UtcDateTime - heard > stale))
                {
                    await DeclareDead(entry.SiloAddress);
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(log, e.Message);
        }
    }

    private async Task<(bool Connects, bool Refuses)> Knock(SiloAddress silo)
    {
        using var socket = new Socket(silo.Endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var patience = new CancellationTokenSource(s_patience, clock);
        try
        {
            await socket.ConnectAsync(silo.Endpoint, patience.Token);
            return (true, false);
        }
        catch (SocketException e)
        {
            return (false, e.SocketErrorCode == SocketError.ConnectionRefused);
        }
        catch (OperationCanceledException)
        {
            return (false, false);
        }
    }

    /// <summary>By compare-and-set on what is read here: whoever changes the table meanwhile wins, and the next round looks again.</summary>
    private async Task DeclareDead(SiloAddress silo)
    {
        var now = await table.ReadAllAsync(_joined.Token);
        if (now.TryGet(silo) is not { Item1: { Status: not SiloStatus.Dead } entry, Item2: var etag })
        {
            return;
        }

        entry.Status = SiloStatus.Dead;
        if (await table.UpdateRowAsync(entry, etag, now.Version.Next(), _joined.Token))
        {
            LogDead(log, silo);
        }
    }

    [LoggerMessage(LogLevel.Information, "{Silo} has gone without a word and is declared dead, so that this silo can join")]
    private static partial void LogDead(ILogger log, SiloAddress silo);

    [LoggerMessage(LogLevel.Warning, "Members that have gone cannot be looked for: {Error}")]
    private static partial void LogFailed(ILogger log, string error);
}
