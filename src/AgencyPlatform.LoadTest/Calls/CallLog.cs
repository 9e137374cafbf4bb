using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;

namespace AgencyPlatform.LoadTest.Calls;

/// <summary>The head of one run in the log.</summary>
/// <param name="Agencies">By resource name; a call names its own by its place here.</param>
/// <param name="Own">Whether the run made the agencies itself, so that nobody else's calls are in their feeds.</param>
internal sealed record RunHeader(IReadOnlyList<string> Agencies, bool Own, string Scenario, int Seed, string Address, DateTimeOffset StartedAt);

/// <summary>One sending of a call, as the log has it.</summary>
/// <param name="Agency">By resource name.</param>
/// <param name="Id">The request id; empty for a call that changes nothing.</param>
/// <param name="Why">first, concurrent, late, cancelled, after-unknown, after-cancel, other-payload.</param>
/// <param name="Begin">Microseconds since 1970, by the load tester's monotonic clock.</param>
/// <param name="End">As <paramref name="Begin"/>; null: no answer was logged, the outcome is unknown.</param>
/// <param name="Code">The gRPC status code; null as <paramref name="End"/>.</param>
internal sealed record CallRecord(
    int Run, string Agency, long Number, int Caller, string Method, string Id, string Why, long Begin, ReadOnlyMemory<byte> Request, long? End, string? Code, string Reason, string Message, ReadOnlyMemory<byte> Response)
{
    public bool Succeeded => Code == "OK";

    /// <summary>Whether the call may or may not have taken effect.</summary>
    public bool Unknown => Code is null or "Unavailable" or "DeadlineExceeded" or "Cancelled" or "Unknown" or "Internal";

    public IMessage RequestMessage() => ApiMethod.Named(Method).Request.ParseFrom(Request.Span);

    public IMessage ResponseMessage() => ApiMethod.Named(Method).Response.ParseFrom(Response.Span);
}

/// <summary>
/// The load tester's own log: a line when a call is sent and a line when it is answered, each handed to the operating system before anything
/// else happens, so that a kill of the load tester loses none.
/// </summary>
internal sealed class CallLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private readonly TimeProvider _time;
    private readonly long _epoch;
    private readonly long _start;
    private long _number;

    public CallLog(string path, RunHeader header, TimeProvider time)
    {
        _time = time;
        _epoch = header.StartedAt.ToUnixTimeMilliseconds() * 1000;
        _start = time.GetTimestamp();
        // No buffer of ours between a line and the operating system.
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        Write(json =>
        {
            json.WriteString("t", "run");
            json.WriteStartArray("agencies");
            foreach (var agency in header.Agencies)
            {
                json.WriteStringValue(agency);
            }

            json.WriteEndArray();
            json.WriteString("scenario", header.Scenario);
            json.WriteBoolean("own", header.Own);
            json.WriteNumber("seed", header.Seed);
            json.WriteString("address", header.Address);
            json.WriteString("startedAt", header.StartedAt.ToString("O", CultureInfo.InvariantCulture));
        });
    }

    /// <summary>Microseconds since 1970 by the monotonic clock.</summary>
    public long Now => _epoch + (long)_time.GetElapsedTime(_start).TotalMicroseconds;

    public (long Number, long At) Begin(int agency, int caller, string method, string id, string why, IMessage request)
    {
        var number = Interlocked.Increment(ref _number);
        var bytes = request.ToByteArray();
        var at = Now;
        Write(json =>
        {
            json.WriteString("t", "begin");
            json.WriteNumber("n", number);
            json.WriteNumber("at", at);
            json.WriteNumber("agency", agency);
            json.WriteNumber("caller", caller);
            json.WriteString("method", method);
            json.WriteString("id", id);
            json.WriteString("why", why);
            json.WriteBase64String("request", bytes);
        });
        return (number, at);
    }

    /// <returns>When it ended.</returns>
    public long End(long number, string code, string reason, string message, IMessage? response)
    {
        var at = Now;
        var bytes = response?.ToByteArray();
        Write(json =>
        {
            json.WriteString("t", "end");
            json.WriteNumber("n", number);
            json.WriteNumber("at", at);
            json.WriteString("code", code);
            if (bytes is not null)
            {
                json.WriteBase64String("response", bytes);
            }
            else
            {
                json.WriteString("reason", reason);
                json.WriteString("message", message);
            }
        });
        return at;
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Reads a log, whole or cut off in its last line by a kill.</summary>
    /// <param name="of">Only the calls of these agencies, so that a long log need not be in memory at once; null: all.</param>
    public static (List<RunHeader> Runs, List<CallRecord> Calls) Read(string path, IReadOnlySet<string>? of = null)
    {
        var runs = new List<RunHeader>();
        var calls = new List<CallRecord>();
        var open = new Dictionary<long, int>();
        foreach (var line in File.ReadLines(path))
        {
            JsonDocument document;
            try
            {
                document = JsonDocument.Parse(line);
            }
            catch (JsonException)
            {
                // The line that a kill cut off.
                continue;
            }

            using (document)
            {
                var root = document.RootElement;
                string Text(string name) => root.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
                switch (Text("t"))
                {
                    case "run":
                        open.Clear();
                        runs.Add(new RunHeader(
                            [.. root.GetProperty("agencies").EnumerateArray().Select(a => a.GetString()!)], root.GetProperty("own").GetBoolean(), Text("scenario"),
                            root.GetProperty("seed").GetInt32(), Text("address"),
                            DateTimeOffset.Parse(Text("startedAt"), CultureInfo.InvariantCulture)));
                        break;
                    case "begin" when of is null || of.Contains(runs[^1].Agencies[root.GetProperty("agency").GetInt32()]):
                        var number = root.GetProperty("n").GetInt64();
                        open[number] = calls.Count;
                        calls.Add(new CallRecord(
                            runs.Count - 1, runs[^1].Agencies[root.GetProperty("agency").GetInt32()], number, root.GetProperty("caller").GetInt32(), Text("method"), Text("id"), Text("why"), root.GetProperty("at").GetInt64(),
                            root.GetProperty("request").GetBytesFromBase64(), null, null, "", "", default));
                        break;
                    case "end" when open.Remove(root.GetProperty("n").GetInt64(), out var index):
                        calls[index] = calls[index] with
                        {
                            End = root.GetProperty("at").GetInt64(),
                            Code = Text("code"),
                            Reason = Text("reason"),
                            Message = Text("message"),
                            Response = root.TryGetProperty("response", out var response) ? response.GetBytesFromBase64() : default(ReadOnlyMemory<byte>),
                        };
                        break;
                }
            }
        }

        return (runs, calls);
    }

    private void Write(Action<Utf8JsonWriter> fields)
    {
        lock (_gate)
        {
            _buffer.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(_buffer))
            {
                json.WriteStartObject();
                fields(json);
                json.WriteEndObject();
            }

            _buffer.Write("\n"u8);
            _file.Write(_buffer.WrittenSpan);
        }
    }
}
