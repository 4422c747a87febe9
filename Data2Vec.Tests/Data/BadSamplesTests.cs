using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class BadSamplesTests
{
    private static readonly string[] Names = ["a", "b", "c", "d"];

    [Test]
    public void Fail_names_the_sample_and_the_reason()
    {
        var reader = Reader(new BadSamples(BadSamplePolicy.Fail), 1);
        Assert.That(reader.Read(0), Is.EqualTo("a"));
        Assert.That(() => reader.Read(1), Throws.TypeOf<BadSampleException>()
            .With.Message.EqualTo("b: damaged").And.Property("Sample").EqualTo("b"));
    }

    [Test]
    public void Skip_puts_the_next_good_sample_in_the_place_and_reports_each_bad_one_once()
    {
        var reported = new List<string>();
        var bad = new BadSamples(BadSamplePolicy.Skip) { Reported = b => reported.Add(b.Name) };
        var reader = Reader(bad, 1, 2, 3);
        Assert.That(Enumerable.Range(0, 4).Select(reader.Read), Is.EqualTo(new[] { "a", "a", "a", "a" }));
        Assert.That(Enumerable.Range(0, 4).Select(reader.Read), Is.All.EqualTo("a"));
        Assert.That(reported, Is.EqualTo(new[] { "b", "c", "d" }));
        Assert.That(bad.Count, Is.EqualTo(3));
        Assert.That(bad.List, Does.Contain(new BadSample("c", "damaged")));
    }

    [Test]
    public void When_every_sample_is_bad_that_is_said()
    {
        var reader = Reader(new BadSamples(BadSamplePolicy.Skip), 0, 1, 2, 3);
        Assert.That(() => reader.Read(2),
            Throws.TypeOf<InvalidDataException>()
                .With.Message.EqualTo("All 4 samples are bad; the first is a: damaged"));
    }

    [Test]
    public void Quarantine_lists_in_a_file_that_a_resumed_run_obeys()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "quarantine.jsonl");
        var reads = 0;
        string Read(int i)
        {
            reads++;
            return i == 1 ? throw new InvalidDataException("b says \"no\"\nand more") : Names[i];
        }
        var first = new SampleReader<string>(4, i => Names[i], Read, new BadSamples(BadSamplePolicy.Quarantine, file));
        Assert.That(first.Read(1), Is.EqualTo("c"));
        Assert.That(File.ReadAllText(file),
            Is.EqualTo("{\"name\":\"b\",\"reason\":\"b says \\\"no\\\" and more\"}\n"));

        var again = new BadSamples(BadSamplePolicy.Quarantine, file);
        Assert.That(again.Contains("b"));
        var second = new SampleReader<string>(4, i => Names[i], Read, again);
        reads = 0;
        Assert.That(second.Read(1), Is.EqualTo("c"));
        Assert.That(reads, Is.EqualTo(1), "a quarantined sample is not tried again");
        Assert.That(File.ReadAllLines(file), Has.Length.EqualTo(1));
    }

    [TestCase("{\"name\":\"b\"}")]
    [TestCase("not json")]
    [TestCase("[]")]
    public void A_quarantine_file_of_another_form_is_refused_with_its_line(string line)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "quarantine.jsonl");
        File.WriteAllText(file, "{\"name\":\"a\",\"reason\":\"r\"}\n" + line + "\n");
        Assert.That(() => new BadSamples(BadSamplePolicy.Quarantine, file),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("line 2"));
    }

    [Test]
    public void Quarantine_needs_a_file_and_a_reader_needs_samples()
    {
        Assert.That(() => new BadSamples(BadSamplePolicy.Quarantine), Throws.ArgumentException);
        Assert.That(() => Reader(new BadSamples(BadSamplePolicy.Skip)).Read(4),
            Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new SampleReader<int>(0, i => "", i => i, new BadSamples(BadSamplePolicy.Skip)),
            Throws.ArgumentException);
    }

    [Test]
    public void A_fault_of_the_program_is_no_bad_sample()
    {
        var reader = new SampleReader<int>(
            2, i => Names[i], _ => throw new InvalidOperationException("a bug"), new BadSamples(BadSamplePolicy.Skip));
        Assert.That(() => reader.Read(0), Throws.InvalidOperationException.With.Message.EqualTo("a bug"));
    }

    [Test]
    public void Many_threads_find_each_bad_sample_once()
    {
        var reported = 0;
        var bad = new BadSamples(BadSamplePolicy.Skip) { Reported = _ => Interlocked.Increment(ref reported) };
        var reader = new SampleReader<int>(
            1000, i => $"{i}", i => i % 3 == 1 ? throw new InvalidDataException("bad") : i, bad);
        Parallel.For(0, 4000, i => Assert.That(reader.Read(i % 1000) % 3, Is.Not.EqualTo(1)));
        Assert.That(reported, Is.EqualTo(333));
        Assert.That(bad.List.Select(b => int.Parse(b.Name)), Is.All.Matches<int>(n => n % 3 == 1));
    }

    private static SampleReader<string> Reader(BadSamples policy, params int[] damaged) => new(
        4, i => Names[i], i => damaged.Contains(i) ? throw new InvalidDataException("damaged") : Names[i], policy);
}
