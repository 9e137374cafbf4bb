using System.Diagnostics;
using System.Globalization;

namespace AgencyPlatform.Faults;

/// <summary>A file system in memory of a few megabytes, mounted at a folder, which can be filled to its last byte.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    private string Ballast => Path.Combine(_folder, "ballast");

    /// <param name="folder">Is made, and hidden by the mount while that lasts.</param>
    /// <exception cref="InvalidOperationException">It cannot be mounted here; the message says what is needed.</exception>
    public static async Task<SmallDisk> Mount(string folder, int megabytes)
    {
        Directory.CreateDirectory(folder);
        try
        {
            await Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m,mode=0777"), "faults", folder);
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"A small disk cannot be mounted: run as root on Linux. {e.Message}", e);
        }

        return new SmallDisk(folder);
    }

    /// <summary>Until not a byte more fits.</summary>
    public async Task Fill()
    {
        var block = new byte[64 * 1024];
        await using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        for (var length = block.Length; length > 0;)
        {
            try
            {
                await file.WriteAsync(block.AsMemory(0, length));
            }
            catch (IOException)
            {
                length /= 2;
            }
        }
    }

    public void Free() => File.Delete(Ballast);

    public async ValueTask DisposeAsync()
    {
        await Run("umount", "--lazy", _folder);
        Directory.Delete(_folder);
    }

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Trim()}");
        }
    }
}
