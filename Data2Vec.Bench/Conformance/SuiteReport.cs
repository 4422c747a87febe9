using System.Globalization;
using System.Text.Json.Serialization;

namespace Data2Vec.Bench.Conformance;

/// <summary>How a case ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Outcome>))]
internal enum Outcome
{
    Passed,
    Failed,
    Skipped,
}

/// <summary>One case of a suite.</summary>
/// <param name="Group">The function or part of the suite.</param>
/// <param name="Name">The case.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Ratio">Worst error as a multiple of its tolerance.</param>
/// <param name="Message">What differs, or why it was skipped.</param>
internal sealed record CaseResult(string Group, string Name, Outcome Outcome, double Ratio, string Message);

/// <summary>A case cannot be expressed with what the engine has; the message says why.</summary>
internal class NotExpressibleException(string reason) : Exception(reason);

/// <summary>
/// A call that must be refused cannot even be written with the engine: its types rule it out. The message says how.
/// </summary>
internal sealed class SignatureException(string reason) : NotExpressibleException(reason);

/// <summary>
/// A case was compared and passes with a difference that is a decision: a call that PyTorch rejects has a meaning here,
/// or a rule of a published trainer is not ours. The message says which.
/// </summary>
internal sealed class DecisionException(string message) : Exception(message);

/// <summary>Collects the cases of one suite, prints failures as they come and a summary at the end.</summary>
internal sealed class SuiteReport(string suite, string? filter, TextWriter output)
{
    private readonly List<CaseResult> results = [];

    public string Suite => suite;

    public IReadOnlyList<CaseResult> Results => results;

    public int Count(Outcome outcome) => results.Count(r => r.Outcome == outcome);

    /// <summary>
    /// Runs one case if the filter lets it through: it passes when every difference fits, or with a decision that is
    /// listed, is skipped when it is not expressible, and fails on any other exception. One case never stops the
    /// others.
    /// </summary>
    public void Run(string group, string name, Func<IEnumerable<Difference>> run) =>
        Run(group, name, run, refusal: false);

    /// <summary>
    /// Runs a call that must be refused; it passes too when the engine's types rule it out, or where it has a meaning
    /// by decision. Both are listed.
    /// </summary>
    public void RunRefusal(string group, string name, Func<Difference> run) =>
        Run(group, name, () => [run()], refusal: true);

    /// <summary>Records a case that is out of scope.</summary>
    public void Skip(string group, string name, string reason)
    {
        if (Wanted(group, name)) Add(new(group, name, Outcome.Skipped, 0, reason));
    }

    /// <summary>Prints counts, the worst error and the skipped groups with their reasons.</summary>
    public void Summarise()
    {
        if (results.Count == 0) return;
        var worst = results.Where(r => r.Outcome != Outcome.Skipped).MaxBy(r => r.Ratio);
        var worstText = worst is null || worst.Ratio == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
            $", worst error {worst.Ratio:0.###} of its tolerance ({worst.Group}/{worst.Name})");
        output.WriteLine($"{suite}: {Count(Outcome.Passed) + Count(Outcome.Failed)} run, "
            + $"{Count(Outcome.Failed)} failed, {Count(Outcome.Skipped)} skipped{worstText}");
        foreach (var reason in results.Where(r => r.Outcome != Outcome.Failed && r.Message.Length > 0)
            .GroupBy(r => (r.Outcome, r.Message)).OrderByDescending(g => g.Key.Outcome))
        {
            var groups = reason.GroupBy(r => r.Group)
                .Select(g => g.Count() == 1 ? $"{g.Key}/{g.First().Name}" : $"{g.Key} ({g.Count()})");
            var how = reason.Key.Outcome == Outcome.Skipped ? "skipped" : "passed";
            output.WriteLine($"  {how} {reason.Count()}: {reason.Key.Message}: {string.Join(", ", groups)}");
        }
    }

    private void Run(string group, string name, Func<IEnumerable<Difference>> run, bool refusal)
    {
        if (!Wanted(group, name)) return;
        try
        {
            var worst = default(Difference?);
            foreach (var difference in run())
                if (worst is null || difference.Ratio > worst.Value.Ratio) worst = difference;
            if (worst is null) Fail(group, name, "nothing was compared");
            else if (worst.Value.Fits) Add(new(group, name, Outcome.Passed, worst.Value.Ratio, ""));
            else Fail(group, name, worst.Value.ToString(), worst.Value.Ratio);
        }
        catch (SignatureException e) when (refusal)
        {
            Add(new(group, name, Outcome.Passed, 0, $"refused by its signature: {e.Message}"));
        }
        catch (DecisionException e)
        {
            Add(new(group, name, Outcome.Passed, 0, e.Message));
        }
        catch (NotExpressibleException e)
        {
            Add(new(group, name, Outcome.Skipped, 0, e.Message));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Fail(group, name, $"{e.GetType().Name}: {e.Message}");
        }
    }

    private bool Wanted(string group, string name) =>
        filter is null || $"{suite}/{group}/{name}".Contains(filter, StringComparison.OrdinalIgnoreCase);

    private void Fail(string group, string name, string message, double ratio = double.PositiveInfinity)
    {
        Add(new(group, name, Outcome.Failed, ratio, message));
        output.WriteLine($"  FAIL {suite}/{group}/{name}: {message.ReplaceLineEndings(" ")}");
    }

    private void Add(CaseResult result) => results.Add(result);
}
