using AgencyPlatform.Benchmarks.Servers;

namespace AgencyPlatform.Benchmarks.Load;

/// <summary>One row of a table: who serves and what is asked of them.</summary>
/// <param name="Cmos">How many CMOs the callers share; null: none matters.</param>
/// <param name="Database">Processor time of the database's processes, where they are not the server's own.</param>
/// <param name="Written">Transactions and rows written so far; null: as the servers' metrics say.</param>
internal sealed record Subject(
    string Name, int? Cmos, IReadOnlyList<ServerProcess> Servers, Work Work, Func<TimeSpan>? Database = null, Func<CancellationToken, Task<(double Commits, double Rows)>>? Written = null)
{
    public string Title => Cmos is { } cmos ? $"{Name}, {cmos:N0} CMOs" : Name;

    /// <exception cref="BenchmarkException">A call of the window failed.</exception>
    public void Check(Window window)
    {
        if (window.Failures.Count > 0)
        {
            throw new BenchmarkException($"{Title}: {window.Failures.Values.Sum():N0} calls failed, for example {window.Failures.Keys.First()}");
        }
    }
}
