using System.Collections.Concurrent;
using AgencyPlatform.Contracts;
using AgencyPlatform.Contracts.Journal;
using AgencyPlatform.Domain;
using AgencyPlatform.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AgencyPlatform.Grains.Tests;

/// <summary>A silo over a SQLite file of its own, whose calls between grains can be made to fail.</summary>
public sealed class SagaSilo : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agencyplatform-saga").FullName;
    private readonly PlatformSilo _silo;

    public SagaSilo() =>
        _silo = new PlatformSilo(new StorageOptions { Provider = StorageProvider.Sqlite, ConnectionString = $"Data Source={Path.Combine(_folder, "journal.db")}" });

    public CallFaults Faults => _silo.Faults;

    public IGrainFactory Grains => _silo.Grains;

    public IJournal Journal => _silo.Journal;

    public IReadModels ReadModels => _silo.Services.GetRequiredService<IReadModels>();

    public Task InitializeAsync() => _silo.Start();

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Makes the n-th call of some methods in an agency fail once: before it reaches the grain, or after, so that only its answer is lost.</summary>
public sealed class CallFaults : IIncomingGrainCallFilter
{
    private readonly ConcurrentDictionary<string, Fault> _faults = new();
    private readonly ConcurrentDictionary<string, Held> _held = new();
    private readonly ConcurrentDictionary<string, (string Method, string Key)> _broken = new();

    private sealed class Held(string method) : IDisposable
    {
        private readonly ManualResetEventSlim _go = new();

        public void Pass(string called)
        {
            if (called == method)
            {
                _go.Wait();
            }
        }

        // Whoever comes later passes: nothing is to be freed.
        public void Dispose() => _go.Set();
    }

    private sealed class Fault(string[] methods, int step, bool after)
    {
        private int _seen;

        public bool After { get; } = after;

        public bool Fired { get; private set; }

        public bool IsNow(string method) => methods.Contains(method) && Interlocked.Increment(ref _seen) - 1 == step && (Fired = true);
    }

    public void Arm(AgencyId agency, string[] methods, int step, bool after) => _faults[agency.Value] = new Fault(methods, step, after);

    /// <summary>Until disposed, calls of a method stand in their grain's way, as one that computes for long would.</summary>
    public IDisposable Hold(AgencyId agency, string method)
    {
        var held = new Held(method);
        _held[agency.Value] = held;
        return held;
    }

    /// <summary>From now on a method of the grains whose key contains a text throws what nobody expects.</summary>
    public void Break(AgencyId agency, string method, string key) => _broken[agency.Value] = (method, key);

    public bool Fired(AgencyId agency) => _faults[agency.Value].Fired;

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (_held.TryGetValue(AggregateKey.AgencyOf(context.TargetId.Key.ToString()!), out var held))
        {
            held.Pass(context.MethodName);
        }

        if (_broken.TryGetValue(AggregateKey.AgencyOf(context.TargetId.Key.ToString()!), out var broken) && broken.Method == context.MethodName
            && context.TargetId.Key.ToString()!.Contains(broken.Key, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("The test has broken this grain.");
        }

        if (!_faults.TryGetValue(AggregateKey.AgencyOf(context.TargetId.Key.ToString()!), out var fault) || !fault.IsNow(context.MethodName))
        {
            await context.Invoke();
            return;
        }

        if (fault.After)
        {
            await context.Invoke();
        }

        throw new UnavailableException("The test lets this call fail.");
    }
}
