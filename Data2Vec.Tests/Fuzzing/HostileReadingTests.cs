using System.Runtime.InteropServices;
using Data2Vec.Fuzz;
using NUnit.Framework;

namespace Data2Vec.Tests.Fuzzing;

/// <summary>What fuzzing calls a finding, shown on readers that misbehave.</summary>
public sealed class HostileReadingTests
{
    [Test]
    public void A_file_is_read_or_refused() => Assert.Multiple(() =>
    {
        Assert.That(Reading(_ => { }).Holds([1]), Is.True);
        Assert.That(Reading(_ => throw new IOException("f: byte 0.")).Holds([1]), Is.False);
        Assert.That(Reading(_ => throw new Derived()).Holds([1]), Is.False);
    });

    [Test]
    public void Any_other_exception_is_a_finding()
    {
        Assert.That(() => Reading(b => _ = b[1]).Holds([1]), Throws.TypeOf<FuzzFindingException>()
            .With.Message.EqualTo("r: IndexOutOfRangeException instead of IOException.")
            .And.InnerException.TypeOf<IndexOutOfRangeException>());
        Assert.That(() => Reading(_ => throw new IOException("")).Holds([1]),
            Throws.TypeOf<FuzzFindingException>().With.Message.EqualTo("r: the refusal says nothing."));
    }

    [Test]
    public void Memory_beyond_the_promise_is_a_finding_even_where_the_file_is_refused()
    {
        var reading = Reading(b =>
        {
            GC.KeepAlive(new byte[b.Length * 3]);
            throw new IOException("no");
        }) with { Constant = 20_000, PerByte = 2 };
        Assert.That(reading.Holds(new byte[1000]), Is.False);
        Assert.That(() => reading.Holds(new byte[100_000]), Throws.TypeOf<FuzzFindingException>()
            .With.Message.Matches(@"^r: a file of 100000 bytes took 30\d{4} bytes; at most 220000 were promised\.$"));
    }

    [Test]
    public void Memory_of_native_code_is_seen()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("only Linux tells the peak of a process");
        var reading = Reading(b =>
        {
            var block = Marshal.AllocHGlobal(b[0] << 20);
            for (var at = 0; at < b[0] << 20; at += 4096) Marshal.WriteByte(block, at, 1);
            Marshal.FreeHGlobal(block);
        }) with { Resident = 64 << 20 };
        Assert.That(reading.Holds([8]), Is.True);
        Assert.That(() => reading.Holds([160]),
            Throws.TypeOf<FuzzFindingException>().With.Message.Contains("r: memory rose by 16"));
    }

    private static HostileReading Reading(Action<byte[]> read) => new("r", typeof(IOException), read);

    private sealed class Derived() : FileNotFoundException("f: not there.");
}
