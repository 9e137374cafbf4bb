using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace AgencyPlatform.LoadTest.Checking;

/// <summary>A short text that stands for all of an event.</summary>
internal static class Digest
{
    public static string Of(FeedEvent e) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{e.Id}|{e.Sequence}|{e.Kind}|{e.Aggregate}|{e.Version}|{e.Type}|{e.Payload}|{e.OccurredAt}|{e.RecordedAt}|{e.Actor}|{e.RequestId}|{e.Cause}"))).AsSpan(0, 8));
}
