using System.Diagnostics;
using NUnit.Framework;

namespace Data2Vec.Tests.Architecture;

/// <summary>Scripts are correct shell and refuse wrong use before they fetch anything.</summary>
public sealed class ScriptTests
{
    private static IEnumerable<string> Scripts => Directory
        .EnumerateFiles(Path.Combine(Repository.Root, "scripts"), "*.sh").Select(p => Path.GetFileName(p));

    [TestCaseSource(nameof(Scripts))]
    public void A_script_is_correct_shell(string name) => Assert.That(Run("-n", Script(name)).Code, Is.Zero);

    [TestCase("")]
    [TestCase("--utterances")]
    [TestCase("out --utterances many")]
    [TestCase("out --languages e;n")]
    [TestCase("out other")]
    [TestCase("--unknown")]
    public void Wrong_use_of_real_data_shows_the_usage(string arguments)
    {
        var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (code, errors) = Run([Script("real-data.sh"), .. words]);
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.StartWith("usage: scripts/real-data.sh OUT"));
    }

    [TestCase("")]
    [TestCase("wav")]
    [TestCase("mp3 1")]
    [TestCase("wav 0")]
    [TestCase("wav 1 2")]
    public void Wrong_use_of_fuzzing_shows_the_usage(string arguments)
    {
        var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (code, errors) = Run([Script("fuzz.sh"), .. words]);
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.StartWith("usage: scripts/fuzz.sh TARGET MINUTES"));
        foreach (var target in Data2Vec.Fuzz.FuzzTargets.Names) Assert.That(errors, Does.Contain(target));
    }

    [Test]
    public void Fuzzing_says_in_one_sentence_what_is_missing()
    {
        // Of all programs only the one that finds the script's folder.
        var (code, errors) = Run("-c", $"d=$(mktemp -d); ln -s \"$(type -P dirname)\" \"$d\"; bash=$(type -P bash); "
            + $"PATH=$d \"$bash\" '{Script("fuzz.sh")}' wav 1; code=$?; rm -r \"$d\"; exit $code");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Match(@"^fuzz\.sh: dotnet is missing; [^.]*\.NET 10 SDK and afl\+\+ [^.]*\.\n$"));
    }

    [Test]
    public void Real_data_overwrites_nothing()
    {
        using var folder = new TemporaryFolder();
        var (code, errors) = Run(Script("real-data.sh"), folder.Path);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Contain($"{folder.Path} exists already"));
    }

    private static string Script(string name) => Path.Combine(Repository.Root, "scripts", name);

    private static (int Code, string Errors) Run(params string[] arguments)
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("the scripts need bash");
        using var process = Process.Start(new ProcessStartInfo("bash", arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors);
    }
}
