using System.Globalization;

namespace Data2Vec.Fuzz;

/// <summary>A reader did with a hostile file what it must never do.</summary>
internal sealed class FuzzFindingException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One public reader and what it promises about any file at all.</summary>
/// <param name="Name">What is read.</param>
/// <param name="Refusal">The only exception, with those derived from it, that it may refuse a file with.</param>
/// <param name="Read">Reads the whole content of a file.</param>
internal sealed record HostileReading(string Name, Type Refusal, Action<byte[]> Read)
{
    /// <summary>Bytes that it may allocate for any file. Everything is counted, garbage too.</summary>
    public long Constant { get; init; } = 256 << 10;

    /// <summary>Bytes that it may allocate for each byte of the file, above the constant.</summary>
    public int PerByte { get; init; } = 16;

    /// <summary>By how much memory of the process may rise above where it stood; 0 = not looked at.</summary>
    public long Resident { get; init; }

    /// <summary>Reads a file, or sees it refused.</summary>
    /// <param name="bytes">Its content.</param>
    /// <returns>True where it was read.</returns>
    /// <exception cref="FuzzFindingException">The reader broke a promise.</exception>
    public bool Holds(byte[] bytes)
    {
        var resident = Resident > 0 ? ResidentMemory.Start() : 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Refused(bytes);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var limit = Constant + (long)PerByte * bytes.Length;
        if (allocated > limit)
            throw new FuzzFindingException(Invariant(
                $"{Name}: a file of {bytes.Length} bytes took {allocated} bytes; at most {limit} were promised."));
        if (Resident > 0 && ResidentMemory.PeakAbove(resident) is var risen && risen > Resident)
            throw new FuzzFindingException(Invariant(
                $"{Name}: memory rose by {risen} bytes for a file of {bytes.Length}; promised: {Resident}."));
        if (refusal is { Message: "" }) throw new FuzzFindingException($"{Name}: the refusal says nothing.", refusal);
        return refusal is null;
    }

    private Exception? Refused(byte[] bytes)
    {
        try
        {
            Read(bytes);
            return null;
        }
        catch (Exception e) when (Refusal.IsInstanceOfType(e))
        {
            return e;
        }
        catch (Exception e)
        {
            throw new FuzzFindingException($"{Name}: {e.GetType().Name} instead of {Refusal.Name}.", e);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
