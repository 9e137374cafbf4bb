using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AgencyPlatform.Domain.Webhooks;

namespace AgencyPlatform.Grains.Webhooks;

/// <summary>
/// Webhooks' secrets, which are stored nowhere: each is derived (HKDF-SHA256) from one of the platform's keys, a random salt that the journal has, and the webhook's name. Whoever has the
/// database or a backup of it, but not the key, can sign nothing.
/// </summary>
internal sealed class WebhookSecrets(WebhookOptions options)
{
    private const int Bytes = 32;

    private readonly ImmutableArray<(string Id, byte[] Key)> _keys =
    [
        .. options.SecretKeys.Select(Convert.FromHexString).Select(key => (Convert.ToHexStringLower(SHA256.HashData([.. "webhooks"u8, .. key]))[..8], key)),
    ];

    /// <summary>Whether secrets can be made.</summary>
    public bool Any => _keys.Length > 0;

    /// <summary>A fresh one.</summary>
    public WebhookSecret New() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)), _keys[0].Id);

    /// <summary>The secret's bytes; null: its key is not set here.</summary>
    public byte[]? Key(AgencyId agency, WebhookId webhook, WebhookSecret secret)
    {
        foreach (var (id, key) in _keys)
        {
            if (id == secret.KeyId)
            {
                return HKDF.DeriveKey(HashAlgorithmName.SHA256, key, Bytes, Convert.FromHexString(secret.Salt), Encoding.UTF8.GetBytes($"agencies/{agency}/webhooks/{webhook}"));
            }
        }

        return null;
    }

    /// <summary>The secret as a receiver is given it; empty: its key is not set here.</summary>
    public string Text(AgencyId agency, Webhook webhook) => Key(agency, webhook.Id, webhook.Secrets[0]) is { } key ? "whsec_" + Convert.ToBase64String(key) : "";
}
