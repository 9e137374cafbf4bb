namespace AgencyPlatform.Storage.Engines;

/// <summary>A statement that is bound value by value, in the order of its columns, and run row by row. Not safe for concurrent use.</summary>
internal abstract class Statement
{
    public abstract Statement Text(string? value);

    public abstract Statement Long(long value);

    public abstract Statement Blob(byte[] value);

    public abstract Statement Id(Guid? value);

    public abstract Statement Null();

    public Statement Value(object? value) => value switch
    {
        null => Null(),
        string text => Text(text),
        long number => Long(number),
        byte[] bytes => Blob(bytes),
        _ => throw new RefusedContentException($"A {value.GetType().Name} cannot be stored."),
    };

    /// <summary>The row is bound: it is stored, or will be with the batch.</summary>
    public abstract void Run();
}
