using System.Globalization;

namespace AgencyPlatform.Gateway.Events;

/// <summary>A place in a feed's history: (epoch, sequence). Opaque to callers.</summary>
internal readonly record struct FeedCursor(Guid Epoch, long Sequence)
{
    public static FeedCursor? Parse(string text) =>
        text.Length > 33 && text[32] == '.' && Guid.TryParseExact(text[..32], "n", out var epoch)
        && long.TryParse(text.AsSpan(33), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? new FeedCursor(epoch, sequence)
            : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch:n}.{Sequence}");
}
