namespace AgencyPlatform.Storage.Engines;

/// <summary>Another writer has moved an agency's head: reload it and repeat.</summary>
internal sealed class StaleHeadException() : Exception("An agency's head row has moved.");

/// <summary>The database refuses something in the batch for what it is. Nothing of the batch is stored.</summary>
internal sealed class RefusedContentException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Storage is out of reach or refuses writes. Whether the batch is stored is unknown.</summary>
internal sealed class StorageTroubleException(string message, Exception? inner = null) : Exception(message, inner);
