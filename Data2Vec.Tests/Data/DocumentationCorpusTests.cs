using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class DocumentationCorpusTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("documentation").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, true);

    [Test]
    public void A_summary_becomes_one_plain_sentence()
    {
        Write("A", """
            <member name="M:N.C.F(System.Int32)"><summary>
              Adds <paramref name="x"/> to the <see cref="T:System.Collections.Generic.List`1"/>,
              as <see cref="M:N.C.#ctor(System.Int32)">the constructor</see> does; <c>null</c> is
              <see langword="null" />.<para>Second   part.</para><code>var x = 1;</code> End.
            </summary><remarks>Not this.</remarks></member>
            """);
        var document = DocumentationCorpus.Load([folder]).Documents.Single();
        Assert.That(document.Text, Is.EqualTo(
            "Adds x to the List, as the constructor does; null is null. Second part. End."));
        Assert.That((document.Kind, document.Source), Is.EqualTo(('M', "A")));
    }

    [TestCase("T:System.String", "String")]
    [TestCase("M:System.String.Format(System.String,System.Object[])", "Format")]
    [TestCase("M:A.B`1.#ctor(System.Int32)", "B")]
    [TestCase("M:A.B.C``1(``0)", "C")]
    [TestCase("M:A.B.System#IDisposable#Dispose", "Dispose")]
    [TestCase("!:Thing", "Thing")]
    public void A_reference_is_shortened(string reference, string expected) =>
        Assert.That(DocumentationReader.ShortName(reference), Is.EqualTo(expected));

    [TestCase("Gets the value of the property.", true)]
    [TestCase("vdpbf16ps instruction. VDPBF16PS xmm1 {k1}{z}, xmm2, xmm3/m128/m32bcst", false)]
    [TestCase("Two words.", false)]
    public void Only_prose_is_kept(string text, bool expected) =>
        Assert.That(DocumentationReader.IsProse(text), Is.EqualTo(expected));

    [Test]
    public void Duplicates_and_members_without_text_are_dropped_and_kinds_kept()
    {
        Write("A", Member("T:X", "A type of things.") + Member("P:X.Y", "The Y of the X.")
            + Member("N:X", "A namespace of X.")
            + "<member name=\"M:X.Z\"><inheritdoc/></member><member name=\"M:X.Q\"/>");
        Write("B", Member("F:X.F", "The Y of the X.") + Member("E:X.E", "Raised after the change."));
        var documents = DocumentationCorpus.Load([folder]).Documents;
        Assert.That(documents.Select(d => (d.Source, d.Kind)),
            Is.EqualTo(new[] { ("A", 'T'), ("A", 'P'), ("B", 'E') }));
    }

    [Test]
    public void A_broken_file_and_a_DTD_are_named_and_skipped()
    {
        Write("Good", Member("T:X", "A type of things."));
        Write("Broken", "<member name=\"T:X\"><summary>No end");
        File.WriteAllText(Path.Combine(folder, "Dtd.xml"), "<!DOCTYPE doc [<!ENTITY a \"b\">]><doc/>");
        File.WriteAllText(Path.Combine(folder, "Dtd.dll"), "");
        var corpus = DocumentationCorpus.Load([folder]);
        Assert.That(corpus.Documents, Has.Count.EqualTo(1));
        Assert.That(corpus.Skipped, Has.Count.EqualTo(2));
        Assert.That(corpus.Skipped[0], Does.Contain("Broken.xml"));
        Assert.That(corpus.Skipped[1], Does.Contain("Dtd.xml"));
    }

    [Test]
    public void Links_to_nowhere_and_in_a_circle_do_no_harm()
    {
        Write("A", Member("T:X", "A type of things."));
        Write("B", Member("T:X", "Another type of things."));
        File.Delete(Path.Combine(folder, "B.xml"));
        File.CreateSymbolicLink(Path.Combine(folder, "B.xml"), Path.Combine(folder, "gone.xml"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "circle"), folder);
        Assert.That(DocumentationCorpus.Load([folder]).Documents.Select(d => d.Source), Is.EqualTo(new[] { "A" }));
    }

    [Test]
    public void Of_several_files_of_one_assembly_the_longest_is_taken()
    {
        foreach (var (sub, text) in new[] { ("net8.0", "A type of things."), ("net10.0", "A type of newer things.") })
        {
            Directory.CreateDirectory(Path.Combine(folder, sub));
            Write(Path.Combine(sub, "A"), Member("T:X", text));
        }
        Assert.That(DocumentationCorpus.Load([folder]).Documents.Single().Text, Is.EqualTo("A type of newer things."));
    }

    [Test]
    public void Xml_without_an_assembly_beside_it_is_no_documentation()
    {
        Write("A", Member("T:X", "A type of things."));
        File.Delete(Path.Combine(folder, "A.dll"));
        Assert.That(() => DocumentationCorpus.Load([folder, "/nowhere"]),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(folder).And.Message.Contains("/nowhere")
                .And.Message.Contains("--data"));
    }

    [Test]
    public void The_split_is_by_assembly_takes_about_a_sixth_and_does_not_change()
    {
        for (var a = 0; a < 60; a++)
            Write($"Lib{a}", string.Concat(Enumerable.Range(0, 5).Select(m =>
                Member($"P:X.P{m}", $"Gets the property {(char)('a' + m)} of library number {a} here."))));
        var (first, second) = (DocumentationCorpus.Load([folder]), DocumentationCorpus.Load([folder]));
        Assert.That(first.HeldOut, Has.Count.InRange(50, 63));
        Assert.That(first.Training.Count + first.HeldOut.Count, Is.EqualTo(300));
        Assert.That(first.Sources.Select(s => s.HeldOut), Is.All.EqualTo(0).Or.EqualTo(5));
        Assert.That(second.Digest, Is.EqualTo(first.Digest).And.Length.EqualTo(64));
        Write("Lib0", Member("P:X.P", "Gets another property of this library."));
        Assert.That(DocumentationCorpus.Load([folder]).Digest, Is.Not.EqualTo(first.Digest));
    }

    [Test]
    public void This_machine_has_documentation_to_train_on()
    {
        var corpus = DocumentationCorpus.Load();
        Assert.That(corpus.Training, Has.Count.GreaterThan(10_000));
        Assert.That(corpus.HeldOut.Count / (double)corpus.Documents.Count, Is.InRange(0.12, 0.22));
        Assert.That(corpus.Training.Select(d => d.Source).Intersect(corpus.HeldOut.Select(d => d.Source)), Is.Empty);
    }

    private static string Member(string name, string summary) =>
        $"<member name=\"{name}\"><summary>{summary}</summary></member>";

    private void Write(string assembly, string members)
    {
        File.WriteAllText(Path.Combine(folder, assembly + ".dll"), "");
        File.WriteAllText(
            Path.Combine(folder, assembly + ".xml"), $"<?xml version=\"1.0\"?><doc><members>{members}</members></doc>");
    }
}
