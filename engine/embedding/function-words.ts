/**
 * The words that carry grammar alone, in the five stemmed languages.
 *
 * Only the hashed embedder uses the list: it knows no document frequencies. BM25 needs none. Legal texts in other languages fall back on length: a
 * function word is short in most of them.
 */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  [
    "og i at det som en et den til er af på for med de der han hun ikke sig sin sit sine et fra kan skal har havde om men eller hvis når efter ved også var vil blive bliver bør deres dens dets denne dette disse enhver ethvert hver alle ingen andre anden andet man være været samt under over mellem uden efter således herunder kun må hvor hvad hvilken hvilke eller",
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were her all she there would their we him been has when who will no more if out so any each every other such shall may must should can could upon under into than then these those its everyone nobody without",
    "der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei kann soll muss darf jeder jede jedes alle keine ihre seine deren dessen ohne unter",
    "och att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när år än skall ska eller under efter vid sin sina sitt också där hade ut alla andra denna detta dessa hans hon bli blir varje envar ingen utan mellan över må får",
    "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la aux d avec son sa ses ou comme mais on lui nous leur leurs cette ces être toute tout tous toutes autre autres sans sous entre doit peut ont été elle ils s l n qu y",
  ].flatMap((words) => words.split(" ")),
);
