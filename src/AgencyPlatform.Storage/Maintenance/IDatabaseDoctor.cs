namespace AgencyPlatform.Storage;

/// <summary>How bad it is.</summary>
public enum Health
{
    Ok,

    /// <summary>It serves, and somebody should look.</summary>
    Warning,

    /// <summary>It does not serve, or what was promised does not hold.</summary>
    Failed,
}

/// <summary>What one look came to, in one sentence.</summary>
public sealed record Finding(Health Health, string Sentence)
{
    /// <summary>What was looked at, in a word or two.</summary>
    public string Subject { get; init; } = "";
}

/// <summary>Looks at a database and changes nothing in it, beside running hosts.</summary>
public interface IDatabaseDoctor
{
    /// <summary>One finding a subject, as they come. When the database is out of reach, that is the last.</summary>
    /// <param name="quick">Without what walks the whole journal.</param>
    IAsyncEnumerable<Finding> Examine(bool quick, IProgress<MaintenanceProgress>? progress = null, CancellationToken cancellation = default);
}
