using System.Text;
using SQLitePCL;

namespace AgencyPlatform.Storage.Engines;

/// <summary>A prepared statement of the writer's connection, bound without boxing or parsing. Not safe for concurrent use.</summary>
internal sealed class SqliteStatement(sqlite3 connection, sqlite3_stmt statement) : Statement, IDisposable
{
    private int _next = 1;
    private byte[] _text = new byte[256];

    public void Dispose() => statement.Dispose();

    public override Statement Text(string? value)
    {
        if (value is null)
        {
            return Null();
        }

        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (_text.Length < most)
        {
            _text = new byte[most];
        }

        var length = Encoding.UTF8.GetBytes(value, _text);
        Check(raw.sqlite3_bind_text(statement, _next++, _text.AsSpan(0, length)));
        return this;
    }

    public override Statement Long(long value)
    {
        Check(raw.sqlite3_bind_int64(statement, _next++, value));
        return this;
    }

    public override Statement Blob(byte[] value) => Bytes(value);

    private SqliteStatement Bytes(ReadOnlySpan<byte> value)
    {
        Check(value.IsEmpty ? raw.sqlite3_bind_zeroblob(statement, _next++, 0) : raw.sqlite3_bind_blob(statement, _next++, value));
        return this;
    }

    public override Statement Id(Guid? value)
    {
        if (value is not { } id)
        {
            return Null();
        }

        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return Bytes(bytes);
    }

    public override Statement Null()
    {
        Check(raw.sqlite3_bind_null(statement, _next++));
        return this;
    }

    /// <summary>Runs it to its end and makes it ready for the next values.</summary>
    public override void Run()
    {
        var code = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        _next = 1;
        if (code is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
        {
            throw SqliteDatabase.Failure(connection, code);
        }
    }

    /// <summary>How many rows the last run changed.</summary>
    public int Changes => raw.sqlite3_changes(connection);

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            raw.sqlite3_reset(statement);
            _next = 1;
            throw SqliteDatabase.Failure(connection, code);
        }
    }
}
