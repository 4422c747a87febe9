using Data2Vec.Models;
using Data2Vec.Models.Configuration;

// Pre-trains on text files (one document a line): PretrainOnYourText FOLDER_OR_FILE [steps]
if (args.Length == 0)
{
    Console.Error.WriteLine("usage: PretrainOnYourText FOLDER_OR_FILE [steps]");
    return 2;
}
var config = TextPretrainConfig.OfPreset("tiny") with
{
    Steps = args.Length > 1 ? int.Parse(args[1]) : 300, WarmupSteps = 2, Probes = false, VocabularySize = 1000,
};
var folder = Path.Combine(Path.GetTempPath(), $"data2vec-example-{Environment.ProcessId}");
var summary = Pretrainer.Run(config, new PretrainOptions(folder, [args[0]]), new Lines());
Console.WriteLine($"loss {summary!.LossFirst:F2} -> {summary.LossLast:F2}; the model lies in {folder}/checkpoints/last");
return 0;

sealed class Lines : IPretrainObserver
{
    public void Phase(string what) => Console.WriteLine(what);
    public void Started(RunHeader header) => Console.WriteLine(header.Data);
    public void Logged(StepReport r) => Console.WriteLine($"step {r.Step}: loss {r.Loss:F3}");
    public void Saved(string path, int step) => Console.WriteLine($"saved {path}");
    public void Warned(string message) => Console.WriteLine(message);
    public void Finished(RunSummary summary) { }
}
