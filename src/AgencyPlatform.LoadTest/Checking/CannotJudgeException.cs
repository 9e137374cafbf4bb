namespace AgencyPlatform.LoadTest.Checking;

/// <summary>The checker cannot say whether the invariants hold, and why.</summary>
internal sealed class CannotJudgeException(string message) : Exception(message);
