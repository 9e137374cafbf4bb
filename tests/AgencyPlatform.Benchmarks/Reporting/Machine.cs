using System.Globalization;
using System.Runtime.InteropServices;

namespace AgencyPlatform.Benchmarks.Reporting;

/// <summary>What it was measured on.</summary>
internal sealed record Machine(string Processor, int Cores, double MemoryGigabytes, string System, string Runtime)
{
    /// <summary>Load average of the last 1, 5 and 15 minutes: what else the machine did.</summary>
    public static string LoadAverage => File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)) : "unknown";

    public static Machine This
    {
        get
        {
            var processor = "processor";
            if (File.Exists("/proc/cpuinfo"))
            {
                processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? processor;
            }

            return new Machine(processor, Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription);
        }
    }

    /// <summary>When and where, and how, as a table's heading.</summary>
    public string Heading(DateTimeOffset at, string how, string loadAverage) => string.Create(
        CultureInfo.InvariantCulture, $"{at:yyyy-MM-dd HH:mm} UTC, {Cores} × {Processor}, {MemoryGigabytes:N0} GB, {System}, {Runtime}; {how}, load average at the end {loadAverage}");
}
