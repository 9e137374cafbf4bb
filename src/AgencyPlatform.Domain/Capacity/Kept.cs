namespace AgencyPlatform.Domain.Capacity;

/// <summary>
/// Something worked out from a record and kept beside it, to spare working it out again. It is no part of the record's value: two records with
/// the same content are equal whatever each has kept, and neither JSON nor a grain's message carries it.
/// </summary>
internal struct Kept<T> : IEquatable<Kept<T>> where T : class
{
    public T? Value;

    public readonly bool Equals(Kept<T> other) => true;

    public override readonly bool Equals(object? obj) => obj is Kept<T>;

    public override readonly int GetHashCode() => 0;
}
